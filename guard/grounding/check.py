"""Refuses names that do not exist: members, modules, arguments, plain names.

The suggestion is put in its place and the checker of its language asked.  A finding counts if it is
in the suggestion, is not one that the text round it has too, cannot come right when more text follows,
and has no excuse (`silences`).  How sure it is (`ladder`) says what becomes of it: it is repaired to
what was meant, or the suggestion is cut before the statement, or the person is told.

A checker that does not answer makes the text unvouched.  That there is none for a language does not:
names are then looked up in the vocabulary alone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..verdict import Action, Kind, Passage, Verdict
from .baseline import Baseline, Baselines, said
from .doubts import is_called, is_derived, is_inherited, is_nowhere, is_private_elsewhere
from .draft import Draft
from .dynamic import let_through, without_consequences
from .evidence import sentence
from .finding import Checker, Fault, Finding
from .knowledge import Modules, Packages, Source, Standing, Vocabulary
from .ladder import OPEN, Rung, rung
from .repair import NEAR, Edit, Repairer
from .silences import silence
from .slips import kind_of
from .unfinished import may_come_right
from .untyped import names_meant, unknown_members

if TYPE_CHECKING:
    from collections.abc import Iterable

DEADLINE_S = 2.0
"""For one judgement, repairs included."""
MAX_FINDINGS = 12
"""Of one suggestion.  One with more is cut at the first that is sure; nobody reads the rest."""

MEANT = 0.3
"""So near a name has to be where no type says that it is there."""

CheckerFor = Callable[[str, str], Checker | None]
"""Language and path to the checker of the file; None where there is none for the language."""


class GroundingCheck:
    """Does what a suggestion names exist?  Safe to share between threads."""

    name = "grounding"
    is_costly: Literal[True] = True

    def __init__(
        self,
        checker_for: CheckerFor,
        *,
        vocabulary: Vocabulary | None = None,
        packages: Packages | None = None,
        modules: Modules | None = None,
        deadline_s: float = DEADLINE_S,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """`close` is called by `close`, once."""
        self._checker_for = checker_for
        self._vocabulary = vocabulary
        self._packages = packages
        self._modules = modules
        self._deadline_s = deadline_s
        self._baselines = Baselines()
        self._close = close

    def close(self) -> None:
        """Ends what was started for it.  The check is not used after that."""
        self._close()

    def warm(self, language_id: str, path: str | None = None) -> None:
        """Starts the checker of the file; it comes up in the background."""
        if path is not None:
            self._checker_for(language_id, path)

    def prepare(self, language: str, path: str, text: str) -> None:
        """Has the text checked that suggestions will come for.  Without it judging is as quick, and only
        what a suggestion does to the text after it goes unseen.

        Raises CheckError as the checker does.
        """
        checker = self._checker_for(language, path)
        if checker is not None and not self._baselines.has(path, text):
            found = checker.findings(path, text, self._deadline_s)
            self._baselines.put(path, Baseline.of(text, found))

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        """Raises CheckError: the checker is starting, hangs, or is gone."""
        if passage.path is None or not passage.suggestion.strip():
            return ()
        draft = Draft.of(passage)
        checker = self._checker_for(passage.language, passage.path)
        until_s = time.monotonic() + self._deadline_s
        judging = _Judging(draft, checker, self._vocabulary, self._packages, self._modules, until_s)
        return tuple(judging.verdicts(self._baselines.get(passage.path)))


@dataclass
class _Judging:
    """One suggestion."""

    draft: Draft
    checker: Checker | None
    vocabulary: Vocabulary | None
    packages: Packages | None
    modules: Modules | None
    until_s: float
    kept: Repairer | None = None

    def verdicts(self, baseline: Baseline | None) -> Iterator[Verdict]:
        draft, found = self.draft, ()
        typed: list[Finding] = []
        if self.checker is not None:
            found = self.checker.findings(draft.path, draft.text, self.until_s - time.monotonic())
            typed = [one for one in found if one.start < draft.end and one.end > draft.start]
            outside = [one for one in found if one.end <= draft.start or one.start >= draft.end]
            known = said(outside) if baseline is None else baseline.said
            if baseline is not None:
                typed = [one for one in typed if one.start >= draft.start or self._is_new(one, baseline)]
                yield from self._caused(baseline.new(outside, draft.text))
            extra = list(let_through(draft, self._repairer(self.checker), typed, self.vocabulary))
            typed = [*without_consequences(typed, extra), *extra]
            for one in typed[:MAX_FINDINGS]:
                yield from self._verdict(one, known, found)
        yield from self._by_name(typed)

    def _is_new(self, finding: Finding, baseline: Baseline) -> bool:
        return bool(baseline.new([finding], self.draft.text))

    def _verdict(
        self, finding: Finding, known: frozenset[tuple[str, str, str]], found: Iterable[Finding]
    ) -> Iterator[Verdict]:
        if self.checker is None:
            return
        draft = self.draft
        standing = self._standing(finding)
        sure = rung(finding, draft, standing)
        nowhere = is_nowhere(finding, draft, self.vocabulary)
        if sure is Rung.SILENT or silence(finding, draft, known, is_nowhere=nowhere):
            return
        if self._is_there(finding, standing):
            return
        if nowhere:
            sure = Rung.SURE
        repairer = self._repairer(self.checker)
        if may_come_right(finding, draft, repairer.members):
            return
        if finding.end > draft.end:
            sure = min(sure, Rung.UNSURE)  # half of it is the person's
        if finding.fault is Fault.MISSING_NAME and self._is_unimported(finding):
            yield self._noted(finding, f"`{finding.name}` is not imported")
            return
        if sure is Rung.SURE and not nowhere and self._is_doubted(finding):
            yield self._noted(finding, sentence(finding))
            return
        edit = repairer.repair(finding, standing, found)
        if finding.message == OPEN and (edit is None or edit.apart > NEAR):
            return
        may_be = self._may_be_narrower(finding) or is_inherited(finding, draft, self.vocabulary)
        if may_be and (edit is None or edit.apart > NEAR):
            sure = min(sure, Rung.UNSURE)
        near = MEANT if finding.receiver.startswith("Self@") else NEAR
        if edit is not None and (sure is Rung.SURE or edit.apart <= near):
            yield self._repaired(finding, edit, standing)
        elif sure is Rung.SURE and not (edit is None and self._may_follow(finding)):
            yield self._cut(finding, standing)
        else:
            yield self._noted(finding, sentence(finding, edit.instead if edit else "", standing))

    def _may_be_narrower(self, finding: Finding) -> bool:
        """Whether the value may be of a subclass that has the member: a node of a tree, a state, a cursor.

        Code that walks a hierarchy knows more of its values than their declared type says.
        """
        if self.draft.language != "python" or finding.fault is not Fault.MISSING_MEMBER:
            return False
        if finding.message.startswith(("Module", "Class")):
            return False
        if self.vocabulary is None or not _HIERARCHIES.search(kind_of(finding.receiver)):
            return False
        return self.vocabulary.knows(finding.name, self.draft.path) is True

    def _is_doubted(self, finding: Finding) -> bool:
        return is_private_elsewhere(finding, self.draft, self.vocabulary) or is_derived(
            finding, self.draft, self.modules
        )

    def _is_there(self, finding: Finding, standing: Standing | None) -> bool:
        """Whether the files know better: a stub lacks the name, or the module makes it at run time."""
        path, name = self.draft.path, finding.name
        if self.modules is None or self.draft.language != "python" or not name:
            return False
        if finding.fault is Fault.MISSING_MEMBER and finding.message.startswith("Module"):
            return self.modules.has(finding.receiver, name, path) or self.modules.is_dynamic(
                finding.receiver, path
            )
        if finding.fault is not Fault.MISSING_MODULE or standing is None:
            return False
        if standing.source not in (Source.STANDARD, Source.INSTALLED, Source.WORKSPACE):
            return False
        parent = name.rpartition(".")[0]
        if self.modules.exists(name, path) or self.modules.is_dynamic(parent, path):
            return True
        # What has the package's name may be something else: a file beside this one.
        return self.checker is not None and not self._repairer(self.checker).members(
            finding.start + len(name.partition(".")[0]) + 1
        )

    def _caused(self, fresh: Iterable[Finding]) -> Iterator[Verdict]:
        """What the suggestion does to the text round it: told, never cut, for the rest may mend it."""
        for one in list(fresh)[:MAX_FINDINGS]:
            sure = rung(one, self.draft, self._standing(one))
            if sure is not Rung.SURE or silence(one, self.draft, frozenset()):
                continue
            at = self._cause(one)
            if at is None:
                continue
            text = f"the text round the suggestion no longer holds with it: {sentence(one)}"
            yield Verdict("grounding", Action.ANNOTATE, f"grounding/{one.fault}", at.start(), at.end(), text)

    def _cause(self, finding: Finding) -> re.Match[str] | None:
        """Where the suggestion has the name, or that of its receiver."""
        found = self.draft.access_at(finding.start, finding.end)
        words = [finding.name] if finding.name else []
        if found is not None:
            words.append(self.draft.text[found[1].start : found[1].end])
        for word in words:
            if at := re.search(rf"(?<![\w.]){re.escape(word)}(?!\w)", self.draft.suggestion):
                return at
        return None

    def _by_name(self, typed: list[Finding]) -> Iterator[Verdict]:
        if self.vocabulary is None:
            return
        draft = self.draft
        for one in unknown_members(draft, self.vocabulary):
            if any(other.start < one.end and other.end > one.start for other in typed):
                continue
            if silence(one, draft, frozenset(), is_nowhere=is_nowhere(one, draft, self.vocabulary)):
                continue
            known = self.vocabulary.knows
            meant = [near for near in names_meant(draft, one) if known(near.name, draft.path)]
            best = meant[0] if meant else None
            is_proven = is_called(one, draft) and self._is_proven(one)
            if best is not None and best.apart <= MEANT and is_proven:
                edit = Edit(one.start, one.end, best.name, best.name, best.apart)
                yield self._repaired(one, edit, None)
            elif is_proven:
                yield self._cut(one, None, best.name if best else "")
            else:
                text = f"nothing here defines a member `{one.name}`"
                yield self._noted(one, f"{text}; `{best.name}` exists" if best else text)

    def _is_proven(self, finding: Finding) -> bool:
        """Whether nothing is left that could define it, and no type says otherwise."""
        if self.vocabulary is None or not self.vocabulary.is_complete(self.draft.path):
            return False
        if self.checker is None:
            return False
        known = self._repairer(self.checker).members(finding.start)
        return not known or ("__getattr__" not in known and is_nowhere(finding, self.draft, self.vocabulary))

    def _repairer(self, checker: Checker) -> Repairer:
        if self.kept is None:
            self.kept = Repairer(self.draft, checker, self.until_s)
        return self.kept

    def _standing(self, finding: Finding) -> Standing | None:
        if finding.fault is not Fault.MISSING_MODULE or self.packages is None or not finding.name:
            return None
        if finding.name.startswith("."):
            return None
        return self.packages.standing(finding.name, self.draft.path)

    def _is_unimported(self, finding: Finding) -> bool:
        """Whether it is a module that only lacks its import: a person adds that with one key."""
        if self.draft.language != "python" or self.draft.text[finding.end : finding.end + 1] != ".":
            return False
        if finding.name in _ALIASES:
            return True
        if self.packages is None:
            return False
        return self.packages.standing(finding.name, self.draft.path).source in (
            Source.STANDARD,
            Source.INSTALLED,
        )

    def _may_follow(self, finding: Finding) -> bool:
        """Whether it is a function that may be written next: called in a body, at the end of the file."""
        draft = self.draft
        if finding.fault is not Fault.MISSING_NAME or draft.after.strip():
            return False
        if draft.text[finding.end : finding.end + 1] != "(":
            return False
        return any("function" in node.kind for node in draft.ancestors_at(finding.start))

    def _repaired(self, finding: Finding, edit: Edit, standing: Standing | None) -> Verdict:
        start, replacement = edit.start - self.draft.start, edit.replacement
        if start < 0:  # the word begins in the text before
            start, replacement = 0, replacement[-start:]
        return Verdict(
            kind=_kind(finding, standing),
            action=Action.REPAIR,
            rule=f"grounding/{finding.fault}",
            start=start,
            end=edit.end - self.draft.start,
            evidence=sentence(finding, edit.instead, standing),
            replacement=replacement,
        )

    def _cut(self, finding: Finding, standing: Standing | None, instead: str = "") -> Verdict:
        start = self.draft.clean_end(max(finding.start, self.draft.start)) - self.draft.start
        return Verdict(
            kind=_kind(finding, standing),
            action=Action.TRIM,
            rule=f"grounding/{finding.fault}",
            start=start,
            end=len(self.draft.suggestion),
            evidence=sentence(finding, instead, standing),
        )

    def _noted(self, finding: Finding, evidence: str) -> Verdict:
        start = max(finding.start - self.draft.start, 0)
        end = min(finding.end - self.draft.start, len(self.draft.suggestion))
        kind = _kind(finding, None)
        return Verdict(kind, Action.ANNOTATE, f"grounding/{finding.fault}", start, end, evidence)


_HIERARCHIES = re.compile(
    r"Node|NG$|Base|Abstract|Interface|Protocol|State|Cursor|Expr|Token|Visitor|AST$|Handler|Backend|Element"
)
"""Words in the names of classes that are there to be derived from."""
_ALIASES = frozenset({"np", "pd", "plt", "tf", "sns", "nx", "sp", "jnp"})


def _kind(finding: Finding, standing: Standing | None) -> Kind:
    is_package = finding.fault is Fault.MISSING_MODULE and (
        standing is None
        or standing.source in (Source.UNKNOWN, Source.LOOK_ALIKE, Source.WELL_KNOWN, Source.PUBLISHED)
    )
    return "package" if is_package else "grounding"
