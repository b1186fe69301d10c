from collections import Counter


def told(found):
    lines = []
    for kind in dict.fromkeys(f.fault.kind for f in found):
        rows = [f for f in found if f.fault.kind == kind]
        by = Counter(b for f in rows for b in f.by)
        lines.append(f"{kind}: {dict(Counter(f.word for f in rows))} {dict(by)}")
    return "\n".join([*lines, str(Counter(f.word for f in found))])
