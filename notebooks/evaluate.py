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
# the section `evaluate` of params.yaml; None is what stands there, a value here is heard before it
cutoffs = None
draws = None
seed = None

# %%
from twinops import lab
from twinops.evaluation.accuracy.conclusions import choice_conclusion
from twinops.evaluation.accuracy.tables import accuracy_table, choice_table, days_table, gains_table

work = lab.open_stage("evaluate", project)
work.about

# %% [markdown]
# ## Foretell the held-out days, and hold it against what came
#
# The model is made anew for each day, in the way that `train` kept, and so are those beside it. To see this is a look
# at held-out days: it is counted, one line for each candidate, before anything is shown.

# %%
trials = work.trials(cutoffs)
[f"day {day.cutoff}: {len(day.household):,} foretold by {', '.join(day.predictions)}" for day in trials]

# %%
measured = work.measure(trials, draws=draws, seed=seed)
evaluated = work.keep(measured)

# %% [markdown]
# ## Who speaks for the twin
#
# A regression, a hurdle (who comes, times how much then), BG/NBD with gamma-gamma, trees, or means of them? That was
# decided for each head on earlier as-of days, by a rule that was written down first and that has not seen a label of
# the days below. Each head is judged by a score that is best where the head is right.

# %%
work.told(evaluated.made_otherwise, "", choice_conclusion(evaluated.choice))

# %%
work.told(choice_table(work.kept("champion")))

# %% [markdown]
# ## Beside the others
#
# Bars are 95 % intervals from drawing whole consumers with replacement, because the months of one consumer are
# not independent witnesses, and from how the days differ, because months are random too and these are few
# (docs/gates.md shows what such intervals hold). The same draws serve every model: the gains below are paired, and much
# surer than the gap between two bars.

# %%
work.figure("accuracy", width=1000)

# %%
work.told(accuracy_table(evaluated.findings))

# %% [markdown]
# The gains in figures; bold where the interval excludes zero.

# %%
work.told(gains_table(evaluated.findings))

# %% [markdown]
# A mean can hide a bad month, so here are the days one by one.

# %%
work.told(days_table(evaluated.findings))

# %% [markdown]
# ## Does it happen as often as predicted?
#
# Consumers are put into ten bins by what was predicted. A dot on the dashed line happened as often as predicted.
# No model reaches the line in every bin: perfectly right chances would miss it by luck, and by how much is said below.

# %%
work.figure("calibration", width=900)

# %% [markdown]
# ## What this says

# %%
work.told(evaluated.conclusion)

# %% [markdown]
# ## What the gates say

# %%
work.verdicts(evaluated)
