"""What the attacks allow us to say: decided by their intervals and by nothing else."""

from collections.abc import Mapping

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, ONE
from twinops.evaluation.privacy.reidentification import AttackRisk
from twinops.evaluation.statistics.rendering import written

ATTACKS = {
    "singling_out_risk": f"picking one {ONE} out of all",
    "linkability_risk": f"recognising one {ONE} in two halves of its data",
    "inference_risk": f"guessing a {ONE}'s spend from everything else",
}


def privacy_conclusion(findings: Findings, risks: Mapping[str, tuple[AttackRisk, ...]]) -> str:
    """A line on the model and one on each attack on each table."""
    measures = {m.name: m for m in findings.measures}
    first = next(iter(risks))
    lines = [_about_the_model(measures.get("membership_rate"), measures.get("membership_auc"))]
    for table, found in risks.items():
        if not found:
            lines.append(f"**{table}**: no such table could be made or attacked, so nothing is said of it.")
        for risk in found:
            name = risk.name if table == first else f"{risk.name}.{table}"
            lines.append(_about_an_attack(table, risk, measures[name]))
    return "\n".join(f"- {line}" for line in lines)


def _about_the_model(rate: Measure | None, auc: Measure | None) -> str:
    if rate is None or auc is None:
        return f"The model was not attacked, because there are too few {MANY}; so nothing is said of its safety."
    sure = "more than chance" if auc.low is not None and auc.low > 0.5 else "no more than chance"
    return (
        f"The model tells {sure} about who it was trained on: members are told from strangers with AUC {written(auc)} "
        f"(chance 0.5), and at one false alarm in a hundred {written(rate)} of them are found (chance 0.01)."
    )


def _about_an_attack(table: str, risk: AttackRisk, measure: Measure) -> str:
    if not risk.informative:
        return (
            f"**{table}**, {ATTACKS[risk.name]}: the attack did not beat guessing, so it says nothing about safety "
            f"(risk {written(measure)})."
        )
    leaks = measure.low is not None and measure.low > 0
    verdict = "leaks" if leaks else "was not shown to leak"
    return f"**{table}**, {ATTACKS[risk.name]}: the table {verdict}, risk {written(measure)}."
