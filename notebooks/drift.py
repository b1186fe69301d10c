# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Do consumers still shop as they did?
#
# The twin was fitted on the past. If what it sees today no longer looks like what it saw then, its predictions may be
# wrong, and the labels that would show it arrive only when the horizon is over. So the features of two as-of days are
# compared: what consumers did in the weeks before each.

# %% tags=["parameters"]
project = "."
# the section `drift` of params.yaml; None is what stands there, a value here is heard before it
reference_cutoff = None
current_cutoff = None
draws = None
seed = None
early_days = None
early_from = None
early_draws = None

# %%
from twinops import lab
from twinops.evaluation.drift.early_warning_findings import planted_rows

work = lab.open_stage("drift", project)
work.about

# %% [markdown]
# ## Compare two days, and watch the first days after each

# %%
moved = work.compare(reference_cutoff=reference_cutoff, current_cutoff=current_cutoff, draws=draws, seed=seed)
early = work.watch(
    current_cutoff=current_cutoff, early_days=early_days, early_from=early_from, early_draws=early_draws, seed=seed
)
result = work.keep(moved, early)
compared = result.findings.facts[0].value

# %% [markdown]
# ## What is compared
#
# Only features of a window (one, two or three horizons). Totals since the first day grow with the clock whatever
# consumers do: measured so, they raised nearly all alarms, and none of them meant anything.
#
# A feature is flagged when two things hold together: the two days differ beyond chance (Kolmogorov-Smirnov, adjusted
# by Benjamini and Hochberg for all features asked about), and they differ by enough to matter (Wasserstein distance in
# units of the feature's spread, by Evidently). One alone flags trifles or noise. The windows of the two days may
# overlap, which softens the long ones; and most consumers are in both days, which makes the test cautious.

# %%
work.told(
    f"Day {compared['reference_day']} ({compared['households_reference']:,} {work.subject.many}) against day "
    f"{compared['current_day']} ({compared['households_current']:,}). Limits: distance "
    f"{compared['rule']['distance_at_least']:g}, q {compared['rule']['q_below']:g}."
)

# %% [markdown]
# ## How far each feature moved

# %%
work.figure("drift_distances")

# %% [markdown]
# ## In short
#
# The low end of the interval counts features that are far and beyond chance, its high end all that are far: with few
# consumers nothing is beyond chance, and that must not look like calm.

# %%
work.told(result.found)

# %% [markdown]
# ## The first days after the as-of day
#
# Labels come when the horizon is over. The same heads, taught on the same rows but on what was done
# in the first days of each horizon, say after a week what the labels will say: baskets, and consumers that came, over
# what was expected. Spend is shown, not judged: in one week it moves by more than the limits although nothing happened.

# %%
work.figure("early_warning")

# %%
work.told(result.found_early)

# %% [markdown]
# False alarms are counted on the days before, all taken as calm. What it would find is tried by planting a
# change into the first days of every one of these days. Fewer baskets show, cheaper ones do not: those show in the
# features, a month later.

# %%
rows = "\n".join(f"| {' | '.join(row)} |" for row in (planted_rows(result.early) if result.early else []))
work.told(f"| planted | alarm | warning | nothing |\n|---|---|---|---|\n{rows}")

# %% [markdown]
# **Not known:** drift of features says nothing about whether the link from features to spend still holds; that shows
# when the labels are in.

# %% [markdown]
# ## What the gates say

# %%
work.verdicts(result)
