# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # One twin
#
# A twin is not a row in a table that a nightly job makes anew. It is a few sums that change with every basket, in any
# order, and that give a basket back when it has to be forgotten. Here one of them is shown: what it knows, what it
# expects and how sure it is, why, and what it would expect *if*.
#
# It is called "twin 1" in this run only. Its figures are rounded into bands that at least ten consumers share, so
# that nobody is singled out; whoever is shown allows scoring and offers.

# %% tags=["parameters"]
project = "."

# %%
from IPython.display import Image, Markdown

import twinops
from twinops.evaluation.segments.tables import held_table, segments_table, what_if_table

home = twinops.open_project(project)
story = home.run("twin")

# %%
Markdown(home.about)

# %% [markdown]
# ## The portrait
#
# Left, how often the consumer shops, remembered over about 10, 30 and 90 days: the three speeds of forgetting. In the
# middle, what is expected of the horizon, with the range that holds 80 of 100 like cases, and the same after an
# action. Right, why: each theme multiplies what is expected of the average consumer, and together they give the
# figure exactly, because the head is a sum of terms and nothing else.

# %%
Image(str(home.places.figure("portrait")), width=1100)

# %% [markdown]
# The same in words, rounded. `twinops twin show ID --purpose twin_scoring` prints it as it is, if the consumer allows
# the purpose on that day. `--purpose access_request` answers its owner whatever they allow (GDPR art. 15): every
# source with its fields, what was made of them, and what may be asked for.

# %%
Markdown(home.told(held_table(story.portrait)))

# %%
Markdown(home.told(f"```text\n{story.words}\n```"))

# %% [markdown]
# ## What would come if
#
# A what-if is a distribution, and it is answered only where at least ten consumers of like activity were seen. It is
# **response, not uplift**: who got a campaign was not drawn by lot. Before the data are asked, the policy is: contact
# pressure, purpose, vulnerability, special categories.

# %%
Markdown(home.told(what_if_table(story.simulated)))

# %% [markdown]
# ## Many twins: segments
#
# For market research nobody needs one person. Segments are cut by behaviour at fixed values, fewer than ten are never
# shown, and so many others are hidden that they cannot be had by subtraction.

# %%
Image(str(home.places.figure("segments")), width=1000)

# %%
Markdown(home.told(segments_table(story.segments.segments)))

# %% [markdown]
# ## Twins that are new
#
# Before its first basket a newcomer's twin believes what newcomers do, and says so by the width of its range. Below,
# every newcomer was predicted by heads and ranges that had not seen it.

# %%
Image(str(home.places.figure("newcomers")), width=900)

# %% [markdown]
# ## What this says

# %%
Markdown(home.told(story.conclusion))
