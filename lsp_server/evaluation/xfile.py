"""Cross-file cases, asked in several contexts in one run: what is gained by telling of other files?

Each repository is indexed once.  While a case is asked, its own file is an open buffer with the text
the person has, so that what is expected is not in the index.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from types import TracebackType

from ...context.errors import GrammarError
from ...context.extraction import extract
from ...context.index.location import locate
from ...context.index.overlay import Overlay
from ...context.index.process import run_build
from ...context.index.reader import Reader
from ...context.languages import find_language
from ...models.prompts.fim import RepositoryChunk
from .xfile_asking import Asking
from .xfile_cases import Checkout, XFileCase
from .xfile_errors import XFileError
from .xfile_journal import Journal
from .xfile_scores import Context, XFileAnswer, first_name, is_right_line

OnAnswer = Callable[[XFileAnswer], None]


@dataclass(frozen=True, slots=True)
class Looking:
    """How `ours` is looked for."""

    budget_tokens: int
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Told:
    """What the model is told of other files, and what finding it took."""

    chunks: tuple[RepositoryChunk, ...] = ()
    ms: float = 0.0
    complete: bool = True


class WorkspaceContext(AbstractContextManager["WorkspaceContext"]):
    """One checkout: indexed when made, then asked.

    Raises IndexUnavailableError.
    """

    def __init__(self, root: Path, cache_folder: Path) -> None:
        location = locate(root, cache_folder)
        run_build(location)
        self._overlay = Overlay()
        self._reader = Reader(location, self._overlay)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()

    def told(self, case: XFileCase, looking: Looking, count: Callable[[str], int]) -> Told:
        """What we find for this case.

        Reading the facts of the open buffer is not in the time: an editor has them before it is asked.
        """
        from ...context.gather import Question, gather

        language = find_language(case.language, case.path)
        if language is None:
            raise XFileError(
                f"{case.id}: {case.language!r} is no language we read; leave it out by --language"
            )
        try:
            facts = extract(case.text, language)
        except GrammarError as error:
            raise XFileError(f"{case.id}: {error}") from error
        self._overlay.open(case.path, case.text, facts)
        try:
            question = Question(case.path, case.text, len(case.before), language.name, facts=facts)
            started = time.perf_counter()
            gathered = gather(
                question,
                self._reader,
                budget_tokens=looking.budget_tokens,
                count=count,
                deadline_s=looking.deadline_s,
            )
            ms = (time.perf_counter() - started) * 1000
        finally:
            self._overlay.close(case.path)
        chunks = tuple(RepositoryChunk(chunk.path, chunk.text) for chunk in gathered.chunks)
        return Told(chunks, ms, gathered.is_complete)


def oracle(case: XFileCase) -> Told:
    """The definition that is needed, and nothing else."""
    return Told((RepositoryChunk(case.definition_path, case.definition_text.strip("\r\n")),))


async def evaluate_xfile(
    cases: Sequence[XFileCase],
    contexts: Sequence[Context],
    asking: Asking,
    folders: Mapping[Checkout, Path],
    cache_folder: Path,
    *,
    looking: Looking,
    journal: Journal,
    on_answer: OnAnswer = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
    is_invalid: Callable[[XFileCase, str], bool | None] = lambda _case, _text: None,
) -> list[XFileAnswer]:
    """Every case in every context; what the journal knows is not asked again.

    `is_invalid`: whether an answer names a member that is not there; None where nobody knows.
    `folders` has the checkouts of all cases, if `ours` is among the contexts.  Raises ModelsError,
    ContextError and XFileError; what has been answered by then is in the journal.
    """
    answers: list[XFileAnswer] = []
    waiting = [case for case in cases if (case.id, "ours") not in journal.answers and "ours" in contexts]
    with ExitStack() as stack:
        workspaces: dict[Checkout, WorkspaceContext] = {}
        for checkout in dict.fromkeys(case.checkout for case in waiting):
            tell(f"indexing {checkout.folder_name}")
            workspaces[checkout] = stack.enter_context(WorkspaceContext(folders[checkout], cache_folder))
        for case, context in product(cases, contexts):
            answer = journal.answers.get((case.id, context))
            if answer is None:
                told = _told(case, context, workspaces.get(case.checkout), looking, asking.count)
                answer = await _ask(case, context, told, asking)
                answer = replace(answer, invalid=is_invalid(case, answer.text))
                journal.add(answer)
            answers.append(answer)
            on_answer(answer)
    return answers


def _told(
    case: XFileCase,
    context: Context,
    workspace: WorkspaceContext | None,
    looking: Looking,
    count: Callable[[str], int],
) -> Told:
    match context:
        case "none":
            return Told()
        case "oracle":
            return oracle(case)
        case "ours":
            assert workspace is not None, "opened for this"
            return workspace.told(case, looking, count)


async def _ask(case: XFileCase, context: Context, told: Told, asking: Asking) -> XFileAnswer:
    written = await asking.ask(case, told.chunks)
    word = re.compile(rf"(?<![\w$]){re.escape(case.identifier)}(?![\w$])")
    return XFileAnswer(
        id=case.id,
        context=context,
        language=case.language,
        text=written.text,
        exact=is_right_line(written.text, case.expected),
        identifier=first_name(written.text) == case.identifier,
        prompt_tokens=written.prompt_tokens,
        num_chunks=len(told.chunks),
        context_tokens=sum(asking.count(chunk.text) for chunk in told.chunks),
        told=any(word.search(chunk.text) for chunk in told.chunks),
        context_ms=told.ms,
        complete=told.complete,
    )
