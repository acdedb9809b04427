"""Runs a job: each paper that has no answer yet is asked about, and its answer kept as soon as it is there."""

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
    """Call `fill` for each of `papers` without a result in `state`, `jobs` at a time, and keep the results. What `fill`
    raises ends the job."""
    left = (paper for paper in papers if not state.is_done(paper.name))
    running: dict[Future[PaperResult], Paper] = {}
    with ThreadPoolExecutor(jobs, thread_name_prefix="paper") as pool:
        while True:
            # No more than are asked about at a time: a folder may hold more papers than memory.
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
