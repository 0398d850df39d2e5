"""What a licence asks, by its SPDX expression, and what follows from it."""

from __future__ import annotations

import pytest

from truepenny.guard.licence.policy import LicencePolicy, Terms, terms_of
from truepenny.guard.verdict import Action


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", Terms.PERMISSIVE),
        ("mit", Terms.PERMISSIVE),
        ("Apache-2.0", Terms.PERMISSIVE),
        ("CC0-1.0", Terms.PUBLIC_DOMAIN),
        ("Unlicense", Terms.PUBLIC_DOMAIN),
        ("LGPL-2.1-or-later", Terms.WEAK_COPYLEFT),
        ("MPL-2.0", Terms.WEAK_COPYLEFT),
        ("GPL-2.0-only", Terms.STRONG_COPYLEFT),
        ("GPL-3.0+", Terms.STRONG_COPYLEFT),
        ("AGPL-3.0-only", Terms.STRONG_COPYLEFT),
        ("BUSL-1.1", Terms.PROPRIETARY),
        ("MIT OR GPL-2.0-only", Terms.PERMISSIVE),
        ("MIT AND GPL-2.0-only", Terms.STRONG_COPYLEFT),
        ("(MIT OR GPL-2.0-only) AND LGPL-2.1-only", Terms.WEAK_COPYLEFT),
        ("GPL-2.0-only WITH Classpath-exception-2.0", Terms.WEAK_COPYLEFT),
        ("GPL-3.0-only WITH LLVM-exception", Terms.WEAK_COPYLEFT),
        ("Apache-2.0 WITH LLVM-exception", Terms.PERMISSIVE),
        ("GPL-3.0-only WITH nothing-known", Terms.STRONG_COPYLEFT),
        ("MIT AND LicenseRef-ours", Terms.UNKNOWN),
        ("MIT OR LicenseRef-ours", Terms.PERMISSIVE),
        ("", Terms.UNKNOWN),
        ("see the file", Terms.UNKNOWN),
        ("MIT AND", Terms.UNKNOWN),
        ("((", Terms.UNKNOWN),
    ],
)
def test_terms(expression, expected):
    """OR is the milder, AND the stricter, an exception eases to weak at most; nonsense is unknown."""
    assert terms_of(expression) == expected


@pytest.mark.parametrize(
    ("policy", "terms", "grade", "expected"),
    [
        (LicencePolicy(), Terms.STRONG_COPYLEFT, "copy", Action.TRIM),
        (LicencePolicy(), Terms.STRONG_COPYLEFT, "near copy", Action.TRIM),
        (LicencePolicy(), Terms.STRONG_COPYLEFT, "similar", Action.ANNOTATE),
        (LicencePolicy(), Terms.PROPRIETARY, "copy", Action.TRIM),
        (LicencePolicy(), Terms.UNKNOWN, "copy", Action.TRIM),
        (LicencePolicy(), Terms.WEAK_COPYLEFT, "copy", Action.TRIM),
        (LicencePolicy(weak_copyleft=Action.ANNOTATE), Terms.WEAK_COPYLEFT, "copy", Action.ANNOTATE),
        (LicencePolicy(), Terms.PERMISSIVE, "copy", Action.ANNOTATE),
        (LicencePolicy(permissive=Action.PASS), Terms.PERMISSIVE, "copy", Action.PASS),
        (LicencePolicy(), Terms.PUBLIC_DOMAIN, "copy", Action.PASS),
    ],
)
def test_what_follows(policy, terms, grade, expected):
    """Copies under terms that bind are kept away, few lines only pointed out."""
    assert policy.action(terms, grade) == expected
