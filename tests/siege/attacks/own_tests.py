"""What needs a server, a project or a loader of its own, and is tried by a test that makes one."""

from __future__ import annotations

from siege.kit import elsewhere

JUDGED, STATE, VERDICT = (f"tests/server/test_{name}.py" for name in ("judged", "state", "verdict"))
PASSES = "replayed passes and answers on the way"
BACK = "a restored or forged database"
VERDICTS = "candidates that write their own verdict"

elsewhere(
    PASSES, "an old pass of a revoked version answers a later call", f"{JUDGED}::test_a_kept_pass_answers_no_later_call"
)
elsewhere(
    PASSES,
    "the pass of another model is handed out",
    f"{JUDGED}::test_another_models_pass_is_refused_though_it_is_made_for_this_call",
)
elsewhere(PASSES, "a pass was not made for this call", f"{JUDGED}::test_a_pass_without_this_calls_nonce_is_refused")
elsewhere(
    PASSES, "the log a pass tells of went back", f"{JUDGED}::test_a_log_that_went_back_is_noticed_by_who_saw_it_longer"
)
elsewhere(
    PASSES,
    "answers have keys twice, or never end",
    f"{JUDGED}::test_answers_that_mean_two_things_or_never_end_are_no_answers",
)
elsewhere(PASSES, "other bytes come than a pass names", f"{JUDGED}::test_other_bytes_than_the_pass_names_are_refused")
elsewhere(
    BACK,
    "an older database is started in place of the newer one",
    f"{STATE}::test_an_older_database_is_not_served_until_somebody_says_why",
)
elsewhere(
    BACK,
    "an entry is written into the log that the server did not sign",
    f"{STATE}::test_an_entry_that_the_server_did_not_sign_stops_it_and_is_named",
)
elsewhere(
    BACK,
    "a trigger of ours is replaced by one that does nothing",
    f"{STATE}::test_a_trigger_that_does_nothing_under_our_name_is_named",
)
elsewhere(BACK, "a revocation is taken out", f"{STATE}::test_a_revocation_that_is_taken_out_still_holds")
elsewhere(
    VERDICTS,
    "a candidate changes what judges it",
    f"{VERDICT}::test_evidence_of_another_judge_is_held_and_counts_once_an_officer_activates_that_judge",
)
elsewhere(
    VERDICTS,
    "prepared measures are handed in that no stage makes",
    f"{VERDICT}::test_prepared_measures_that_no_stage_makes_are_refused",
)
elsewhere(
    VERDICTS,
    "code lies there that no commit holds",
    f"{VERDICT}::test_code_that_lies_there_uncommitted_or_ignored_is_refused",
)
elsewhere(
    VERDICTS,
    "a stage of the candidate looks for the login",
    f"{VERDICT}::test_a_malicious_stage_finds_no_login_and_nothing_of_it_goes_on",
)
elsewhere(
    VERDICTS,
    "who wrote the change to the judge activates it",
    f"{VERDICT}::test_who_wrote_the_change_does_not_activate_it_and_who_has_a_key_signs",
)
elsewhere(
    VERDICTS,
    "a gate runner's account lies about everything it hands in",
    f"{VERDICT}::test_residual_a_gate_runners_account_that_lies_about_everything_is_believed",
    residual=True,
)
