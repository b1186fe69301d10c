"""One file per gate: `RULE`, `QUESTION`, `Limits`, `needs` and `check`. A gate reads Evidence and nothing else.

What else is said of a gate stands in its file too, where there is something to say:

- `PICTURES`: which pictures stand with its verdict on the review page;
- `RISKS`: judgements of the impact assessment that may not call a risk low in silence while the gate fails;
- `WATCHED`: the beginnings of names that an officer asks for first; its failing is a changed risk (GDPR art. 35(11));
- `SPEAKS_TO`: to which items of the law its evidence speaks, such as `dpia.accuracy` or `annex_iv.9`;
- `CONSIDERED_AS`: under which words its verdict stands among the ethical considerations of the model card;
- `SECTION` and `told`: what it adds to a section of the card;
- `IN_BRIEF`: a function of the evidence, whose sentence stands on the page of ten minutes;
- `LATER`: its advice when what it looks at comes after the documents;
- `ends`: what its answer rests on, and the last day of each;
- `EACH` and `covers`: quantities of which a policy judges each or says why not.

`_shelf` finds all this, so no list elsewhere names a gate.
"""
