"""A Portuguese shop: whoever sits at a terminal can answer, nothing half-made stays, and no withdrawal is overheard."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import Proposal, ShopFiles, look
from twinops.errors import DataError, TwinopsError

TWINOPS = (sys.executable, "-c", "from twinops.cli._door import enter; enter()")
WHO = [f"GA-{n:05}" for n in range(40)]


def file(path: Path, head: str, rows: list[str]) -> Path:
    path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return path


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    days = [f"{1 + n % 28:02}-{1 + n % 12:02}-2025" for n in range(600)]
    rows = [
        f"FT{n};{WHO[n * 7 % 40]};{1_000 + n % 12};{1 + n % 3};{2 + n % 5},{n % 10}0;{day}"
        for n, day in enumerate(days)
    ]
    return file(tmp_path / "vendas.csv", "n_fatura;cartao;ref_artigo;qtd;preco_unit;data", rows)


def seen(sales: Path, *more: Path | str, optins: Path | None = None, **codes: str) -> Proposal:
    said = Said(codes={f"optins.{place.replace('__', ':')}": means for place, means in codes.items()})
    return look(ShopFiles(sales, opt_ins=optins, more=tuple(map(str, more))), said)


# At a terminal.


INTERRUPT = "\x03"


def on_a_terminal(words: list[str], answers: dict[str, str]) -> tuple[int, str]:
    """Type at every prompt: a question's answers one after the other, and Enter else; exit code, and what was shown."""
    pid, shown = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a suite that runs in the background ignores it
        os.execv(TWINOPS[0], [*TWINOPS, *words])  # noqa: S606
    text, told, typed = "", 0, [""]
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if not select.select([shown], [], [], 0.5)[0]:
            if typed == [INTERRUPT]:  # one that comes before the prompt reads is not heard: a person types it again
                os.kill(pid, signal.SIGINT)
            continue
        try:
            some = os.read(shown, 65_536)
        except OSError:
            break
        if not some:
            break
        text += some.decode("utf-8", "replace")
        if text.endswith("]: "):
            typed = next((given.split("\n") for q, given in answers.items() if q in text[told:]), typed)
            told = len(text)
            if typed == [INTERRUPT]:
                os.kill(pid, signal.SIGINT)
            else:
                os.write(shown, f"{typed.pop(0) if typed else ''}\n".encode())
    os.close(shown)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text


def test_a_person_answers_with_one_of_the_options(sales: Path, tmp_path: Path) -> None:
    answers = {
        "In which currency": "euros\neur",
        "Who is responsible": "Garrafeira, Lda",
        "may purchases": "perhaps\ncontract",
        "how many days": "730",
        "the data owner": "Rui Faria <rui@loja.example>",
        "the risk officer": "Rui <rui@loja.example>\nInês Sá <ines@loja.example>",
        "Write this": "y",
    }
    home = tmp_path / "project"
    code, shown = on_a_terminal(["init", str(home), "--from", str(sales), "--date", "%d-%m-%Y"], answers)
    assert code == 0, shown
    assert "'perhaps' is none of" in shown
    assert "consent, contract, legitimate_interest, open" in shown
    assert "'euros' is no code" in shown
    assert "One person holds one office" in shown
    said = yaml.safe_load((home / "params.yaml").read_text(encoding="utf-8"))["own"]["sales"]
    assert said["legal"]["bases"] == {"twin_training": "contract", "twin_scoring": "contract"}
    assert (said["money"]["currency"], said["legal"]["controller"]) == ("EUR", "Garrafeira, Lda")
    assert (said["legal"]["retention_days"], said["legal"]["notice"]) == (730, "open"), "Enter leaves it open"
    offices = yaml.safe_load((home / "compliance/offices.yaml").read_text(encoding="utf-8"))["people"]
    assert {one["office"]: one.get("name") for one in offices} == {
        "data owner": "Rui Faria",
        "risk officer": "Inês Sá",
        "data protection officer": None,
    }
    questions = re.findall(r"\(\d+/(\d+)\) ", shown)
    assert len(questions) == int(questions[0])
    for told in (
        "   why: ",
        "   left open: ",
        "   goes into: params.yaml: own.sales.",
        "goes into: compliance/offices",
    ):
        assert told in shown
    assert shown.count("\nown.sales:\r\n") == 1, "the report is shown once, when all is said"
    assert "nothing was written" not in shown


@pytest.mark.parametrize("goes", ["interrupts", "says no"])
def test_whoever_goes_away_while_asked_leaves_nothing_behind(goes: str, sales: Path, tmp_path: Path) -> None:
    home, words = tmp_path / "project", ["--from", str(sales), "--date", "%d-%m-%Y"]

    typed = {"In which currency": INTERRUPT} if goes == "interrupts" else {"Write this": "n"}
    code, shown = on_a_terminal(["init", str(home), *words], typed)
    assert code != 0, shown
    assert not home.exists()
    assert "Traceback" not in shown


def test_without_a_terminal_and_without_a_yes_no_project_is_made_and_it_says_so(sales: Path, tmp_path: Path) -> None:
    home = tmp_path / "project"
    home.mkdir()
    (home / ".git").mkdir()
    words = [*TWINOPS, "init", str(home), "--from", str(sales)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Nothing was declared, and no project was made: nobody was there to answer." in done.stderr
    assert "make run" not in done.stdout + done.stderr
    assert "own.sales:" in done.stdout
    assert [p.name for p in home.iterdir()] == [".git"]
    told = subprocess.run([*words, "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (told.returncode, json.loads(told.stdout)["begun"]) == (2, None)


# What is asked.


def everything(sales: Path, folder: Path) -> ShopFiles:
    """A shop with profiles, opt-ins, cases and a panel of strangers."""
    crm = file(folder / "crm.csv", "n_cartao;sexo", [f"{who};{'FM'[n % 2]}" for n, who in enumerate(WHO)])
    cases = [f"{who};2025-05-0{1 + n % 9};2025-06-01;fatura" for n, who in enumerate(WHO)]
    panel = [f"P{n};{1 + n % 5};{1 + n % 7}" for n in range(30)]
    more = (
        file(folder / "casos.csv", "n_cartao;aberto;fechado;motivo", cases),
        file(folder / "painel.csv", "panelist;thrift;baskets_per_4_weeks", panel),
    )
    return ShopFiles(sales, crm, ledger(folder), more=(str(more[0]), f"panel={more[1]}"))


def test_whatever_of_the_law_is_open_is_asked_and_says_what_follows(sales: Path, tmp_path: Path) -> None:
    files = everything(sales, tmp_path)
    asked = look(files).questions
    legal = {q.about: q for q in asked if q.left == "open"}
    assert all(q.why and q.until and q.where.startswith("params.yaml: own.") for q in asked)
    assert "nobody is assessed" in legal["groups_basis"].until
    assert "basis" in legal, "opt-ins tell what people answered, not what the use rests on"
    answers = {about: (365 if about == "retention_days" else "contract") for about in legal}
    said = look(files, Said(**answers))  # type: ignore[arg-type]
    assert {"sales", "customers", "optins", "service", "panel"} <= set(said.own)
    assert not legal.keys() & {q.about for q in said.questions}
    for name, body in said.own.items():
        assert "open" not in [*body["legal"].values(), *dict(body["legal"]["bases"]).values()], name


def test_what_rests_on_consent_that_no_file_tells_is_said_to_reach_nobody(sales: Path, tmp_path: Path) -> None:
    found = look(everything(sales, tmp_path), Said(groups_basis="consent"))
    assert any("who agreed to bias assessment" in note and "nobody is in" in note for note in found.notes)


# What was said of consent.

LEDGER = "n_cartao;finalidade;resposta;data"


def ledger(folder: Path, word: str = "retirado", purpose: str = "perfilagem") -> Path:
    rows = [f"{who};{purpose};sim;0{1 + n % 9}-02-2025" for n, who in enumerate(WHO)]
    return file(folder / "consentimentos.csv", LEDGER, [*rows, f"{WHO[0]};{purpose};{word};09-03-2025"])


def test_a_withdrawal_in_an_unknown_word_is_refused_with_the_way_to_say_it(sales: Path, tmp_path: Path) -> None:
    assert "optins" in seen(sales, optins=ledger(tmp_path)).own
    with pytest.raises(DataError) as refused:
        seen(sales, optins=ledger(tmp_path, "desfeito"))
    assert "--code optins.event:desfeito=withdrawn" in refused.value.hint
    told = seen(sales, optins=ledger(tmp_path, "desfeito"), event__desfeito="withdrawn")
    assert told.own["optins"]["codes"]["event"] == {"desfeito": "withdrawn"}


def test_one_word_may_be_the_training_and_the_scoring_of_a_twin(sales: Path, tmp_path: Path) -> None:
    both = seen(sales, optins=ledger(tmp_path)).own["optins"]["codes"]["purpose"]
    assert both == {"perfilagem": "twin_training, twin_scoring"}
    odd = seen(sales, optins=ledger(tmp_path, purpose="estudos"))
    assert any("--code optins.purpose:estudos=PURPOSE" in note for note in odd.notes)
    told = seen(sales, optins=ledger(tmp_path, purpose="estudos"), purpose__estudos="twin_training,twin_scoring")
    assert told.own["optins"]["codes"]["purpose"] == {"estudos": "twin_training, twin_scoring"}


@pytest.mark.parametrize(
    ("codes", "way"),
    [
        ({"purpose__perfilagem": "twin_trainig"}, "--code optins.purpose:perfilagem=twin_training"),
        ({"purpose__perfilagen": "offers"}, "--code optins.purpose:perfilagem=offers"),
        ({"event__retirado": "withdraw"}, "--code optins.event:retirado=withdrawn"),
    ],
)
def test_a_word_that_means_nothing_here_is_refused_with_advice(
    codes: dict[str, str], way: str, sales: Path, tmp_path: Path
) -> None:
    with pytest.raises(TwinopsError) as refused:
        seen(sales, optins=ledger(tmp_path), **codes)
    assert way in refused.value.hint


# The files around.


@pytest.mark.parametrize(
    ("opened", "closed"), [("aberto", "fechado"), ("data de abertura", "data de fecho"), ("created_at", "closed_at")]
)
def test_a_case_is_of_the_day_it_was_opened_and_may_have_no_end(
    opened: str, closed: str, sales: Path, tmp_path: Path
) -> None:
    rows = [f"{who};2025-05-0{1 + n % 9};{'' if n % 3 else '2025-06-01'};fatura" for n, who in enumerate(WHO)]
    cases = file(tmp_path / "casos.csv", f"n_cartao;{opened};{closed};motivo", rows)
    columns = seen(sales, cases).own["service"]["columns"]
    assert (columns["time"], columns["closed"]) == (opened, closed)


def test_a_closing_day_alone_is_not_taken_for_the_day_of_a_case(sales: Path, tmp_path: Path) -> None:
    cases = file(tmp_path / "casos.csv", "n_cartao;fechado;motivo", [f"{who};2025-05-01;fatura" for who in WHO])
    found = seen(sales, f"service={cases}")
    assert "service" not in found.own
    assert "it lacks time" in str(found.left_out[0])


def test_coupons_that_were_used_are_redemptions_and_no_second_list_of_contacts(sales: Path, tmp_path: Path) -> None:
    sent = file(tmp_path / "envios.csv", "n_cartao;campanha;enviado_em", [f"{who};C1;2025-05-01" for who in WHO])
    used = [f"{who};C1;V{n};1{n % 10}-05-2025" for n, who in enumerate(WHO[:30])]
    found = seen(sales, sent, file(tmp_path / "vales.csv", "n_cartao;campanha;n_vale;data_utilizacao", used))
    assert {"redemptions", "campaign_customers"} <= set(found.own)
    odd = file(tmp_path / "odd.csv", "n_cartao;campanha;xyz;data", used)
    (left,) = seen(sales, sent, odd).left_out
    assert "put them into one" not in str(left)
    assert "KIND=FILE" in str(left)


def test_names_and_numbers_of_a_crm_are_registrations_though_some_stand_twice(sales: Path, tmp_path: Path) -> None:
    rows = [f"{who};Ana {who[3:]} Silva;c{who}@exemplo.pt;96{who[3:]}67;2024-05-03" for who in [*WHO, WHO[0]]]
    crm = file(tmp_path / "crm.csv", "n_cartao;nome_completo;e_mail;telemovel;data_adesao", rows)
    assert seen(sales, f"registrations={crm}").own["registrations"]["columns"] == {
        "household_id": "n_cartao",
        "name": "nome_completo",
        "email": "e_mail",
        "phone": "telemovel",
        "time": "data_adesao",
    }
    bare = file(tmp_path / "bare.csv", "n_cartao;xyz", [f"{who};{n}" for n, who in enumerate(WHO)])
    (left,) = seen(sales, f"registrations={bare}").left_out
    assert "it needs a name, an address, a phone number or a handle" in str(left)


def test_what_is_told_of_special_goods_does_not_contradict_itself(sales: Path, tmp_path: Path) -> None:
    def goods(*names: str) -> Proposal:
        rows = [f"{1_000 + n};{names[n % len(names)]}" for n in range(12)]
        return seen(sales, file(tmp_path / f"{len(names)}.csv", "ref_artigo;familia", rows))

    assert "products" not in goods("Azeites e Vinagres", "Sem Glúten e Dietéticos", "Vinhos").open
    unknown = goods("Vinhos", "Kopi bubuk")
    assert "addiction: 1" in unknown.open["products"]
    assert "nobody looked" not in unknown.open["products"]


def test_a_town_is_no_age(sales: Path, tmp_path: Path) -> None:
    towns = ("Porto", "Lisboa", "Braga")
    crm = file(tmp_path / "crm.csv", "n_cartao;cidade", [f"{who};{towns[n % 3]}" for n, who in enumerate(WHO)])
    assert "age" not in look(ShopFiles(sales, crm)).own["customers"]["columns"]
