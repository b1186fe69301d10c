# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Whom would the offers reach?
#
# One decision is judged, and it is declared in `compliance/intended_use.yaml`: by which score, to how many, and how
# mitigated. Which attributes decide, and where the limit lies, stands in `compliance/policy.yaml`. Nobody chooses that
# here; whoever changes those files does it in git, under their name.
#
# The harm to look for is plain: some groups hear of lower prices less often than others, because they spend less or
# because the twin predicts their spend less well. Demographics are never a feature of the twin. They are opened in
# this stage only, for consumers that allow bias assessment.

# %% tags=["parameters"]
project = "."
# the section `fairness` of params.yaml; None is what stands there, a value here is heard before it
cutoff = None
draws = None
seed = None

# %%
from twinops import lab
from twinops.evaluation.fairness.findings import FAMILY

work = lab.open_stage("fairness", project)
work.about

# %% [markdown]
# ## Replay the declared decision

# %%
decision = work.decision()
f"{decision.name}: the first {decision.share:.0%} by {decision.score}, mitigation: {decision.mitigation.kind}"

# %%
reached = work.reach(cutoff=cutoff, draws=draws, seed=seed)
result = work.keep(reached)

# %% [markdown]
# ## What was decided, and for whom it can be assessed

# %%
work.told(result.decided)

# %% [markdown]
# ## How many of each group would get an offer, and is their spend predicted right?
#
# Small levels are merged with their neighbours until a group that is reached half as often as the limit allows would
# probably be found; the rule looks at sizes only. "Not stated" is a group. Consumers about which nothing is held at
# all are shown beside the others: they are not a random part, so nothing seen among the others carries over to them.

# %%
work.figure("selection_rates")

# %% [markdown]
# ## How uneven is that, and how sure is it?
#
# Each group is compared with the rest of its attribute: the lower of the two selection rates over the higher. A few
# hundred consumers leave much doubt in such a ratio, so it is judged by its ends. Right end below the limit, for all
# groups together: failed. Left end above it, for every group that is large enough to tell: passed. Else nobody can
# tell. What the policy does not name is grey and decides nothing. How often this errs: `docs/gates.md`.

# %%
work.figure("fairness_ratios")

# %% [markdown]
# ## What was found

# %%
work.told("\n".join(f"- {sentence}" for sentence in result.found))

# %% [markdown]
# ## What would another decision reach, and what would it cost?
#
# Reach, the smallest ratio of a group to its rest, against the price: how much less of everybody's spend those who are
# selected make. Left, as many offers as declared: part of the places by lot, or the rank by the score mixed with the
# rank by another score of the twin. Both can be declared. Grey ones must know the consumer's attribute to decide:
# ranks within groups, and Fairlearn's thresholds per group. Right, the plain score with more or fewer offers.
#
# To declare one: write its score, share and mitigation into `decision` of `compliance/intended_use.yaml`, then
# `make run`. It is another candidate, judged anew by every gate.

# %%
work.figure("reach_against_price")

# %%
work.told("\n".join([*result.prices, "", FAMILY]))

# %% [markdown]
# ## In short

# %%
many = work.subject.many
judged = [c for c in result.comparisons if c.decides]
uneven, shown = ([c.attribute for c in judged if c.outcome == said] for said in ("failed", "passed"))
unsure = [c.attribute for c in judged if c.outcome == "inconclusive"]
work.told(
    f"Of {len(judged)} attributes that decide, by {len(uneven)} some {many} are shown to be reached less often "
    f"than the limit allows ({', '.join(uneven) or 'none'}); by {len(shown)} groups are shown to be reached "
    f"about as often ({', '.join(shown) or 'none'}); by {len(unsure)} there are too few {many} to tell "
    f"({', '.join(unsure) or 'none'}). The gate draws the verdict."
)

# %% [markdown]
# **Not known:** how those in this source came to be in it and why some of them have demographics; whether what is
# declared of them is right; anything about attributes that are not held, such as ethnicity, disability or language;
# whether who came to shop would have used the offer; and whether an offer that does not come is a loss.

# %% [markdown]
# ## What the gates say

# %%
work.verdicts(result)
