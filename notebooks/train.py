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
# the section `train` of params.yaml; None is what stands there, a number here is heard before it
activity_c = None
spend_alpha = None

# %%
from twinops import lab
from twinops.evaluation.accuracy.conclusions import choice_conclusion
from twinops.evaluation.accuracy.tables import priors_table

work = lab.open_stage("train", project)
work.about

# %% [markdown]
# ## Try an idea
#
# A panel is opened as of a day: the rows a model for that day may learn from, and those it foretells. Nobody who does
# not allow it is in it, ids are not, and days that are held out or that reach into them are refused. What may be done
# with it is in `docs/notebooks.md`.

# %%
work.panel()

# %% [markdown]
# ## Fit the heads
#
# `heads` says who speaks for each head, `terms` what its regression reads. Left out, it is what was chosen on earlier
# days. Change it here, run all, and what is measured and judged afterwards is what this cell made.

# %%
fitted = work.fit(
    heads={},  # {"spend": ["regression", "trees"]}: their mean; an estimator of your own has the name of its file
    terms={},  # {"activity": ["pace", "recency", "overdue"]}: nothing else is read
    activity_c=activity_c,
    spend_alpha=spend_alpha,
)
work.told(fitted.said or "All as chosen.", "", choice_conclusion(fitted.choice))

# %% [markdown]
# ## Keep it
#
# The model, how it was made, and under seal who it was learned from.

# %%
trained = work.keep(fitted)

# %% [markdown]
# ## What the consumers did
#
# Each dot is an as-of day: of the consumers known by then, how many bought again, and how much they spent. This is
# what the heads learn to predict. Demographics are no part of it, nor is the fact that a consumer has told them.

# %%
work.figure("activity", width=900)

# %% [markdown]
# ## What is believed before a consumer's first basket
#
# Each consumer's pace is drawn towards the population's, the more so the less is known of it. The priors are
# learned from how different consumers are (empirical Bayes).

# %%
work.told(priors_table(trained.model))

# %% [markdown]
# ## What the heads weigh
#
# A regression is an intercept plus at most twenty terms, each a weight times how far the consumer is from the average.
# There is nothing else in it, so the weights are the whole explanation. Terms that move together share their
# effect: *days since the last basket*, its square and *baskets missed since* are to be read together. How new a
# consumer is, and how often it stayed away for a while, tell who comes and are not used for amounts: on earlier
# days they were of no help there. What is said of activity is the rate of visits; the chance to shop follows from it.

# %%
work.figure("coefficients", width=1000)

# %% [markdown]
# ## What this says

# %%
seen, one, many = trained.model.trained_on, work.subject.one, work.subject.many
work.told(
    f"The model has seen {seen.rows:,} {one}-days of {seen.households:,} {many}, as-of days {seen.first_cutoff} to "
    f"{seen.last_cutoff}. It holds none of them: it is {trained.size:,} bytes of text.",
    "",
    trained.conclusion,
    "",
    "How well it predicts is measured in `evaluate`, made the same way for days it has not seen.",
)

# %% [markdown]
# ## What the gates say
#
# Nothing is judged of a model that is not measured yet: where this notebook is executed, the next ones show it. In
# JupyterLab the answers to the measures that lie here follow, and which of them are older than what was just made.

# %%
work.verdicts(trained)
