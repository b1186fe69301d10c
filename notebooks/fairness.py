# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Whom would the offers reach?
#
# One decision is judged, and it is fixed in `compliance/intended_use.yaml`: of the households that allow offers, the
# top fifth by predicted spend would receive one. Nobody chooses here what is judged, which groups are compared, or
# where the limit lies; whoever changes that file does it in git, under their name.
#
# The harm to look for is plain: some groups hear of lower prices less often than others, because they spend less or
# because the twin predicts their spend less well. Demographics are never a feature of the twin. They are opened in
# this stage only, for households that allow bias assessment.

# %% tags=["parameters"]
project = "."

# %%
from IPython.display import Image, Markdown

import twinops
from twinops.evaluation.fairness.findings import MITIGATION

home = twinops.open_project(project)
result = home.run("fairness")

# %% [markdown]
# ## What was decided, and for whom it can be assessed

# %%
Markdown(result.decided)

# %% [markdown]
# ## How many of each group would get an offer, and is their spend predicted right?
#
# Small levels are merged with their neighbours until a group has enough households and enough expected offers; the
# rule looks at sizes only. "Not stated" is a group, and so are the households about which nothing is held at all: they
# are not a random part, so nothing seen among the others carries over to them.

# %%
Image(home.places.figure("selection_rates"))

# %% [markdown]
# ## How uneven is that, and how sure is it?
#
# Each group is compared with the rest of its attribute: the lower of the two selection rates over the higher. With a
# few hundred households such a ratio jumps about by chance, and a fixed threshold alone would blame nearly every
# decision. So three things stand beside each other: an exact permutation test (adjusted for all the groups asked
# about), an interval that holds for all groups together, and the grey mark: a disparity to the left of it would
# probably have been found.

# %%
Image(home.places.figure("fairness_ratios"))

# %% [markdown]
# ## What was found

# %%
Markdown("\n".join(f"- {sentence}" for sentence in result.found))

# %% [markdown]
# ## What would it cost to reach the groups more evenly?
#
# One way: rank half by predicted spend overall, half by predicted spend within the group, with the same number of
# offers. This is offered, not applied.

# %%
Markdown("\n".join([*(f"- {price}" for price in result.prices), "", MITIGATION]))

# %% [markdown]
# ## In short

# %%
uneven = [c.attribute for c in result.comparisons if c.uneven]
unsure = [c.attribute for c in result.comparisons if not c.uneven and not c.shown_even]
Markdown(
    f"By {len(uneven)} of {len(result.comparisons)} attributes some households would be reached less often than the "
    f"limit allows, beyond chance ({', '.join(uneven) or 'none'}). By {len(unsure)} there are too few households to "
    f"tell ({', '.join(unsure) or 'none'}). The gate draws the verdict; mitigation is offered, none is applied."
)

# %% [markdown]
# **Not known:** how the households came to be in this source and why some of them have demographics; whether the
# imputed values (marital status, household composition, number of children) are right; anything about attributes that
# are not held, such as ethnicity, disability or language; and whether an offer that does not come is a loss to a
# household. These are US grocery households: they tell nothing about EU consumers.
