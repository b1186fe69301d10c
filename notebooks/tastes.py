# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Tastes, new tastes, coupons
#
# What will a consumer buy of, what will it try that it has not bought for months, and which coupon will it answer?
# A taste is a decayed count of baskets per product category, drawn towards what is usual for the category. The heads
# are regressions on it, kept as plain numbers.
#
# Told apart are the most frequent categories of products. Whatever tells of health, faith, pregnancy or another
# special category of personal data is left out before anything is counted.

# %% tags=["parameters"]
project = "."

# %%
from IPython.display import Image, Markdown

import twinops
from twinops.evaluation.tastes.tables import campaigns_table, coupons_table, social_table, tastes_table

home = twinops.open_project(project)
tasted = home.run("tastes")

# %%
Markdown(home.about)

# %% [markdown]
# ## What it will buy of
#
# For each held-out as-of day the heads are fitted again, on horizons that were over by then. Ten categories are listed
# per consumer, the likeliest first. Own counts are a strong baseline: people buy what they have always bought.

# %%
Image(str(home.places.figure("tastes")), width=950)

# %%
Markdown(home.told(tastes_table(tasted.findings)))

# %% [markdown]
# ## What it will newly try
#
# Counting cannot tell what somebody will try who has not bought it for months. Tastes that go together can.

# %%
Image(str(home.places.figure("tastes_tried")), width=850)

# %% [markdown]
# ## Which tastes go together
#
# The directions in which consumers' tastes differ most. Nobody gave them a name.

# %%
Image(str(home.places.figure("tastes_together")), width=950)

# %% [markdown]
# ## Who answers a campaign: response, not uplift
#
# Recipients were chosen by the shop and not by lot. What is predicted is who redeems a coupon **given that it reaches
# them**, and not what the coupon causes: some would have come anyway. Only consumers that allowed scoring and offers
# on the campaign's first day are measured.

# %%
Image(str(home.places.figure("coupons")), width=1000)

# %%
Markdown(home.told(coupons_table(tasted.findings)))

# %% [markdown]
# The held-out campaigns, counts below ten hidden.

# %%
Markdown(home.told(campaigns_table(tasted.findings)))

# %% [markdown]
# ## How much it will write
#
# Judged by no gate. Where posts are declared as synthetic it measures their generator and nothing else; it shows where
# such a head would stand, for whoever has posts of people who agreed to it.

# %%
Markdown(home.told(social_table(tasted.findings)))

# %% [markdown]
# ## What this says

# %%
Markdown(home.told(f"{tasted.conclusion}\n\nThe heads are {home.places.tastes_model.stat().st_size:,} bytes of text."))
