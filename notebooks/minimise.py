# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Does the twin need it?
#
# The law asks that personal data be limited to what is necessary (GDPR art. 5(1)(c)). So each personal attribute and
# each source is tried: forecasts are refitted with it, without it, and with its values dealt out to other consumers.
# It is *necessary* only when the whole interval of what it saves lies above a margin that was written down first, and
# beats the shuffled values; *not necessary* when the whole interval lies below the margin; else nobody can tell.
#
# No consumer is in training and in the test. Attributes are looked at under the purpose *bias assessment* alone, of
# consumers that allow it, in regressions that are thrown away. What records declared as synthetic save tells of
# their generator.

# %% tags=["parameters"]
project = "."

# %%
from IPython.display import Image, Markdown

import twinops
from twinops.evaluation.necessity.tables import proposals_table

home = twinops.open_project(project)
found = home.run("minimise")

# %%
Markdown(home.about)

# %% [markdown]
# ## Personal attributes, by how much is known of a consumer
#
# Left in each panel stands someone newly met, right an established consumer. Green is necessary, grey is not, orange
# cannot be told.

# %%
Image(str(home.places.figure("necessity_attributes")), width=1100)

# %% [markdown]
# ## Sources, and what purchases give away
#
# To leave an attribute out does not hide it: purchases tell of it. This is why offers are assessed by group, and why
# the impact assessment must speak of inference.

# %%
Image(str(home.places.figure("necessity_sources")), width=1000)

# %% [markdown]
# ## What this says

# %%
Markdown(home.told(found.conclusion))

# %% [markdown]
# ## What is proposed to be held
#
# Written from the outcomes above; doubt is no ground to hold anything, and whatever is declared for bias assessment
# alone may still be held for that. The coupon head learns from campaigns and is judged by itself. Nothing follows from
# a proposal: the data owner accepts or refuses it (`twinops retention status`, `decide`, `sign`), unit by unit, in a
# signed file.

# %%
Markdown(home.told(proposals_table(found.findings)))
