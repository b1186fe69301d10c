-- Memberships with their campaign's description. A campaign described twice takes one description, in a total order,
-- so that no membership is doubled.
WITH described AS (
  SELECT
    campaign_id, campaign_type, start_date, end_date,
    row_number() OVER (PARTITION BY campaign_id ORDER BY start_date, end_date, campaign_type) AS place
  FROM campaign_descriptions_file
)

SELECT c.household_id, c.campaign_id, d.campaign_type, d.start_date, d.end_date
FROM campaigns_file AS c
LEFT JOIN described AS d ON d.campaign_id = c.campaign_id AND d.place = 1
ORDER BY c.household_id, c.campaign_id
