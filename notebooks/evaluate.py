# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How well does the twin predict?
#
# For each held-out as-of day the twin is fitted again, on what was closed by that day and on consumers that
# allowed training then. It predicts the horizon that follows, for consumers that allow scoring. Beside it stand,
# made for the same days from the same consumers: LightGBM, a regression on recency, frequency and monetary value
# (RFM), the classic BG/NBD with gamma-gamma, the last horizon repeated, and the forecast that nobody comes. Of those
# that are plain (all but LightGBM, which reads what the twin reads) the best counts, quantity by quantity.
#
# Spend has two answers, and no one number can be both: the mean, which is right for totals and judged by a deviance,
# and the median, which half of like consumers spend less than, judged by absolute error.
#
# Settings were chosen on earlier days only.

# %% tags=["parameters"]
project = "."

# %%
from IPython.display import Image, Markdown

import twinops
from twinops.entities.findings import Findings
from twinops.evaluation.accuracy.conclusions import choice_conclusion
from twinops.evaluation.accuracy.tables import accuracy_table, choice_table, days_table, gains_table

home = twinops.open_project(project)
evaluated = home.run("evaluate")

# %%
Markdown(home.about)

# %% [markdown]
# ## Who speaks for the twin
#
# A regression, a hurdle (who comes, times how much then), BG/NBD with gamma-gamma, trees, or means of them? That was
# decided for each head on earlier as-of days, by a rule that was written down first and that has not seen a label of
# the days below. Each head is judged by a score that is best where the head is right.

# %%
Markdown(home.told(choice_conclusion(evaluated.choice)))

# %%
Markdown(home.told(choice_table(Findings.from_json(home.places.measures("champion").read_text(encoding="utf-8")))))

# %% [markdown]
# ## Beside the others
#
# Bars are 95 % intervals from drawing whole consumers with replacement, because the months of one consumer are
# not independent witnesses, and from how the days differ, because months are random too and these are few
# (docs/gates.md shows what such intervals hold). The same draws serve every model: the gains below are paired, and much
# surer than the gap between two bars.

# %%
Image(str(home.places.figure("accuracy")), width=1000)

# %%
Markdown(home.told(accuracy_table(evaluated.findings)))

# %% [markdown]
# The gains in figures; bold where the interval excludes zero.

# %%
Markdown(home.told(gains_table(evaluated.findings)))

# %% [markdown]
# A mean can hide a bad month, so here are the days one by one.

# %%
Markdown(home.told(days_table(evaluated.findings)))

# %% [markdown]
# ## Does it happen as often as predicted?
#
# Consumers are put into ten bins by what was predicted. A dot on the dashed line happened as often as predicted.
# No model reaches the line in every bin: perfectly right chances would miss it by luck, and by how much is said below.

# %%
Image(str(home.places.figure("calibration")), width=900)

# %% [markdown]
# ## What this says

# %%
Markdown(home.told(evaluated.conclusion))
