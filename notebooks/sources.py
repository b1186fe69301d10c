# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What do we know, from whom, and how surely?
#
# A twin of a consumer is a blend of three kinds of source. **First-party**: receipts, registrations, CRM profiles,
# service cases; tied to a person by what the person gave us. **Social**: accounts people handed in, with posts and
# comments; tied by record linkage, with an error. **Panel**: answers of other people; tied to nobody, only borrowed for
# segments.
#
# Which of them are real and which are made up, with the truth kept apart for measuring, their declarations say.

# %% tags=["parameters"]
project = "."

# %%
from IPython.display import Image, Markdown

import twinops

home = twinops.open_project(project)
result = home.run("sources")

# %%
Markdown(home.about)

# %% [markdown]
# ## What came in, and what was kept out
#
# Rows that break a source's rules stay outside, sealed under a key of their own that is destroyed after a while, each
# with its reason.

# %%
Markdown(home.told(result.table))

# %%
Image(home.places.figure("quarantine"))

# %% [markdown]
# ## How good the sources are

# %%
Image(home.places.figure("quality"))

# %% [markdown]
# ## Whose records may be linked at all
#
# Before anything is linked, every record is asked for its legal basis as of today. Unknown consent refuses. Service
# cases rest on legitimate interest: until somebody signs an assessment (`compliance/interests.yaml`), none of them
# enters.

# %%
Markdown(home.told(result.excluded))

# %% [markdown]
# ## Which records are one person's
#
# Names are misspelt, shortened and written in other alphabets; e-mails are missing. The linker weighs
# every agreement; only what is nearly certain is joined, what is probable waits for a person. When records are joined,
# the most restrictive of their consents counts for all.

# %%
Image(home.places.figure("linkage_bands"))

# %%
Image(home.places.figure("linkage_tie"))

# %%
shown = ("linkage_precision", "linkage_recall", "linkage_f1", "linkage_false_match_rate", "linkage_f1.fuzzy")
lines = [f"- {n.removeprefix('linkage_').replace('_', ' ')}: {m}" for n, m in result.measures.items() if n in shown]
Markdown(home.told("\n".join(lines)))

# %% [markdown]
# ## Of whom we know what

# %%
Image(home.places.figure("held"))

# %% [markdown]
# ## What texts say about mood
#
# English only; whatever touches a special category (GDPR art. 9) gets no score; the words are dropped after scoring.
# The scorer's own error goes into every consumer's interval.

# %%
Image(home.places.figure("sentiment"))

# %% [markdown]
# ## What a panel lets us infer
#
# Answers are borrowed from panelists who shop alike. They are **inferred**, for segments only, never for a person. Our
# demographics are declared for bias assessment alone, so nothing is matched on them. Panelists may be other people in
# what was not matched on: intervals are widened as if they were so by as much as in what was.

# %%
Image(home.places.figure("fusion"))

# %% [markdown]
# Where a segment does not follow from what was matched on, the data leave a whole range open.

# %%
Image(home.places.figure("fusion_bounds"))

# %% [markdown]
# ## In short

# %%
Markdown(home.told(result.found))

# %% [markdown]
# **Not known:** how real people write, mistype and change, where errors above are measured on generated records. Such
# errors tell how the parts fit together, not how well they would do on other people's records.
