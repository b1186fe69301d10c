# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Train the twin
#
# A twin is a small state for each consumer: decayed sums of its baskets and spend at three speeds of forgetting.
# The state is updated with every basket and is never trained. What is trained are the **heads**: three regressions
# that turn the state into the chance to buy, the number of baskets and the money spent in the next horizon.
#
# Here the heads that ship are fitted, on every as-of day whose horizon is over, and on consumers that allow
# training today. Terms, penalties and who speaks for the twin were settled before, on earlier days; once that is
# done, what ships may learn from the latest days too.

# %% tags=["parameters"]
project = "."

# %%
from IPython.display import Image, Markdown

import twinops
from twinops.evaluation.accuracy.conclusions import choice_conclusion
from twinops.evaluation.accuracy.tables import priors_table

home = twinops.open_project(project)
trained = home.run("train")

# %%
Markdown(home.about)

# %% [markdown]
# ## What the consumers did
#
# Each dot is an as-of day: of the consumers known by then, how many bought again, and how much they spent. This is
# what the heads learn to predict. Demographics are no part of it, nor is the fact that a consumer has told them.

# %%
Image(str(home.places.figure("activity")), width=900)

# %% [markdown]
# ## What is believed before a consumer's first basket
#
# Each consumer's pace is drawn towards the population's, the more so the less is known of it. The priors are
# learned from how different consumers are (empirical Bayes).

# %%
Markdown(home.told(priors_table(trained.model)))

# %% [markdown]
# ## What the heads weigh
#
# A forecast is an intercept plus twenty terms, each a weight times how far the consumer is from the average.
# There is nothing else in it, so the weights are the whole explanation. Terms that move together share their
# effect: *days since the last basket*, its square and *baskets missed since* are to be read together. How new a
# consumer is, and how often it stayed away for a while, tell who comes and are not used for amounts: on earlier
# days they were of no help there. What is said of activity is the rate of visits; the chance to shop follows from it.

# %%
Image(str(home.places.figure("coefficients")), width=1000)

# %% [markdown]
# ## What this says

# %%
seen, one, many = trained.model.trained_on, home.words.subject.one, home.words.subject.many
Markdown(
    home.told(
        f"The model has seen {seen.rows:,} {one}-days of {seen.households:,} {many}, as-of days "
        f"{seen.first_cutoff} to {seen.last_cutoff}. It holds none of them: it is {home.places.model.stat().st_size:,} "
        "bytes of text.\n\n"
        f"{choice_conclusion(trained.choice)}\n\n{trained.conclusion}\n\n"
        "How well it predicts is measured in `evaluate`."
    )
)
