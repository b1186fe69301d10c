# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Who is in there?
#
# Two questions an attacker asks. Of the **model**: was this consumer's data used to make it? Of a **table that may
# leave**: which row is this consumer, and what does it tell? Both are asked here by attacking, because what is not
# attacked is only hoped to be safe. What an attack cannot do today another may do tomorrow.

# %% tags=["parameters"]
project = "."

# %%
from IPython.display import Image, Markdown

import twinops

home = twinops.open_project(project)
attacked = home.run("privacy")

# %%
Markdown(home.about)

# %% [markdown]
# ## Who was trained on?
#
# The model is fitted several times, as the one that ships, each time on half of the consumers. Each of these models is
# attacked with the others as its shadows: does what it says of a consumer fit models that saw it, or models that did
# not? The left edge matters: an attacker who is nearly sure of a few does more harm than one who is half sure of all.

# %%
Image(home.places.figure("membership"))

# %% [markdown]
# ## Who is in a table?
#
# Each attack is run on consumers in the table, on consumers kept out of it, and by guessing. Only what the first has
# over the second is a leak: the rest is what anyone may learn of consumers in general. The blended rows are attacked
# too, to show that the attacks work; they never leave.

# %%
Image(home.places.figure("reidentification"))

# %%
Markdown(home.told(attacked.table))

# %% [markdown]
# ## What this says

# %%
Markdown(home.told(attacked.conclusion))

# %% [markdown]
# `twinops release generalised` and `twinops release synthetic` make such tables, attack them again and write them only
# within the policy's limits.
