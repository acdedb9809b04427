"""Runs a job: it asks about each paper that has no answer yet, and stores each answer as soon as it arrives."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from app.extract.papers import Paper
from app.extract.state import JobState, PaperResult


def run(
    fill: Callable[[Paper], PaperResult],
    state: JobState,
    papers: Iterable[Paper],
    jobs: int,
    on_result: Callable[[Paper, PaperResult], None],
) -> None:
    """Call `fill` for each of `papers` that has no result in `state`, `jobs` at a time, and store the results. An
    exception of `fill` ends the job."""
    left = (paper for paper in papers if not state.is_done(paper.name))
    running: dict[Future[PaperResult], Paper] = {}
    with ThreadPoolExecutor(jobs, thread_name_prefix="paper") as pool:
        while True:
            # The next paper is taken only when it can be asked about, because a folder may hold more papers than fit in
            # memory.
            for paper in left:
                running[pool.submit(fill, paper)] = paper
                if len(running) >= jobs:
                    break
            if not running:
                return
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                paper = running.pop(future)
                result = future.result()
                state.note(paper.name, result)
                on_result(paper, result)
