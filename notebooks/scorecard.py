# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The twin's scorecard
#
# How sure is it, and is it right about that? Does it stay fresh? Is it better than plain baselines on every day, and
# for every group? What moves its forecasts? Everything here is measured on as-of days that nothing was chosen on, with
# models and ranges made for each day from what was closed by then.

# %% tags=["parameters"]
project = "."

# %%
from IPython.display import Image, Markdown

import twinops
from twinops.evaluation.scorecard.tables import days_table, groups_table, baselines_table

home = twinops.open_project(project)
card = home.run("scorecard")

# %%
Markdown(home.about)

# %% [markdown]
# ## Of 100 outcomes, how many fall inside their range?
#
# Every forecast comes with a range that promises to hold 80 of 100 outcomes. Ranges are learned from how outcomes
# scattered around like forecasts, and made wider or narrower, tier by tier, until they held 80 of 100 in the last
# closed window. Then they are tried on days they have not seen.

# %%
Image(str(home.places.figure("coverage")), width=1100)

# %% [markdown]
# ## What must be fresh: the state, or the heads?
#
# A twin lives because each basket updates its state, with no training. Here the state is held back, and then the heads
# are frozen instead. What is lost is paired: the same consumers, the same horizons.

# %%
Image(str(home.places.figure("freshness")), width=1000)

# %% [markdown]
# ## Every as-of day, with what was known by then
#
# Training starts with little and grows. Each dot is one day by itself, each ribbon its interval.

# %%
Image(str(home.places.figure("rolling_origin")), width=1000)

# %%
Markdown(home.told(days_table(card.findings)))

# %% [markdown]
# ## Beside everything else, on the held-out days
#
# Paired gains: the same consumers, the same days, the same draws. Bold: the interval excludes zero.

# %%
Markdown(home.told(baselines_table(card.findings, card.accuracy)))

# %% [markdown]
# ## What moves forecasts
#
# A forecast of the twin is a sum of terms, so its explanation is exact. The challenger's trees are explained by their
# Shapley values. Both are laid under headings that a consumer knows.

# %%
Image(str(home.places.figure("importance")), width=1000)

# %% [markdown]
# ## Group by group
#
# Of consumers that allow bias assessment: how many outcomes the ranges held, the error, and predicted over actual
# spend (1 is right). Groups were merged until each had enough consumers; attributes are never features.

# %%
Markdown(home.told(groups_table(card.findings)))

# %% [markdown]
# ## What this says

# %%
Markdown(home.told(card.conclusion))
