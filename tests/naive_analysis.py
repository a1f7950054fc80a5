"""A second state machine of a run, told table by table: slow, mutable, and good to compare with.

A run is a dict that every pass changes in place. Times are whole microseconds; what is recorded of
them has whole milliseconds. Phases and fields are named as in ``gateway.run_status``.
"""

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
SECOND = 1_000_000
TEN_SECONDS = 10 * SECOND
BEST_FIRST = ["Successful", "Running", "Pending", "Inconclusive", "Error", "Failed"]
DONE = ["Successful", "Failed", "Error", "Inconclusive"]
BAD = ["Failed", "Error", "Inconclusive"]
COUNTER = {
    "Successful": "successful",
    "Failed": "failed",
    "Inconclusive": "inconclusive",
    "Error": "error",
}


def new_run() -> Json:
    """A run before its first pass."""
    return {
        "phase": "Pending",
        "message": "",
        "metric_results": [],
        "started_at_unix_s": None,
        "completed_at_unix_s": None,
        "run_summary": new_summary(),
        "dry_run_summary": None,
    }


def new_summary() -> Json:
    """Nothing but zeros."""
    return dict.fromkeys(["count", "successful", "failed", "inconclusive", "error"], 0)


def new_result(metric: Json) -> Json:
    """A metric at its first measurement."""
    return {
        "name": metric["name"],
        "phase": "Running",
        "message": "",
        "measurements": [],
        **dict.fromkeys([*COUNTER.values(), "count", "consecutive_error"], 0),
        "consecutive_success": 0,
        "is_dry_run": metric["is_dry_run"],
        "metadata": {},
    }


def result_named(run: Json, name: str) -> Json | None:
    """The result of a metric."""
    for result in run["metric_results"]:
        if result["name"] == name:
            found: Json = result
            return found
    return None


def stopping(run: Json, *, asked: bool) -> bool:
    """Whether nothing new may begin."""
    for result in run["metric_results"]:
        if result["phase"] in BAD and not result["is_dry_run"]:
            return True
    return asked


def reconcile(
    spec: list[Json], run: Json, now: int, carry_out: Callable[[str, str], Json], *, asked: bool
) -> list[tuple[str, str]]:
    """One whole pass; what was done is returned, as action and metric."""
    if run["phase"] in DONE:
        return []
    tasks = []
    stop = stopping(run, asked=asked)
    for metric in spec:
        action = task_of(metric, run, now, stop=stop)
        if action:
            tasks.append((action, metric["name"]))
    for action, name in tasks:
        take(spec, run, name, carry_out(action, name))
    judge(spec, run, now, asked=asked)
    for result in run["metric_results"]:
        (keep,) = [metric["retention"] for metric in spec if metric["name"] == result["name"]]
        while len(result["measurements"]) > keep:
            result["measurements"].pop(0)
    return tasks


def task_of(metric: Json, run: Json, now: int, *, stop: bool) -> str:
    """The table of tasks, from its first row to its last; empty for none."""
    result = result_named(run, metric["name"])
    if result and result["phase"] in DONE:
        return ""
    if result:
        last = result["measurements"][-1]
        if last["finished_at_unix_s"] is None:
            if stop:
                return "terminate"
            asleep = last["resume_at_unix_s"] is not None and last["resume_at_unix_s"] > now
            return "" if asleep else "resume"
    if stop:
        return ""
    if not result:
        delay = metric["initial_delay_s"]
        if delay is not None and run["started_at_unix_s"] is None:
            return ""
        early = delay is not None and run["started_at_unix_s"] + delay * SECOND > now
        return "" if early else "measure"
    if metric["count"] is not None and result["count"] >= metric["count"]:
        return ""
    return "measure" if now > last["finished_at_unix_s"] + gap(metric, last) else ""


def gap(metric: Json, last: Json) -> int:
    """Microseconds from one measurement to the next."""
    if last["phase"] == "Error" or metric["interval_s"] is None:
        return TEN_SECONDS
    return int(metric["interval_s"] * SECOND)


def take(spec: list[Json], run: Json, name: str, measurement: Json) -> None:
    """Write a measurement down, and count it if it is over."""
    result = result_named(run, name)
    if result is None:
        (metric,) = [metric for metric in spec if metric["name"] == name]
        result = new_result(metric)
        run["metric_results"].append(result)
        order = [metric["name"] for metric in spec]
        run["metric_results"].sort(key=lambda each: order.index(each["name"]))
    if result["measurements"] and result["measurements"][-1]["finished_at_unix_s"] is None:
        result["measurements"].pop()
    for field in ["started_at_unix_s", "finished_at_unix_s", "resume_at_unix_s"]:
        if measurement[field] is not None:
            measurement[field] -= measurement[field] % 1000
    result["measurements"].append(measurement)
    if measurement["phase"] not in DONE:
        return
    result[COUNTER[measurement["phase"]]] += 1
    if measurement["phase"] == "Error":
        result["consecutive_error"] += 1
        result["consecutive_success"] = 0
        return
    result["count"] += 1
    result["consecutive_error"] = 0
    result["consecutive_success"] += 1
    if measurement["phase"] != "Successful":
        result["consecutive_success"] = 0


def broken_limit(metric: Json, result: Json) -> tuple[str, str]:
    """The last of the three limits that is broken: phase and words, both empty if none is."""
    phase = words = ""
    if metric["failure_limit"] >= 0 and result["failed"] > metric["failure_limit"]:
        phase = "Failed"
        words = f"failed ({result['failed']}) > failureLimit ({metric['failure_limit']})"
    if result["inconclusive"] > metric["inconclusive_limit"]:
        phase = "Inconclusive"
        words = f"inconclusive ({result['inconclusive']}) > inconclusiveLimit"
        words += f" ({metric['inconclusive_limit']})"
    if result["consecutive_error"] > metric["consecutive_error_limit"]:
        phase = "Error"
        words = f"consecutiveErrors ({result['consecutive_error']}) > consecutiveErrorLimit"
        words += f" ({metric['consecutive_error_limit']})"
    return phase, words


def phase_of(metric: Json, result: Json, *, stop: bool) -> str:
    """The table of metric phases, from its first row to its last."""
    limit = metric["consecutive_success_limit"]
    if result["phase"] in DONE:
        return str(result["phase"])
    if result["measurements"][-1]["phase"] not in DONE:
        return "Running"
    if broken_limit(metric, result)[0]:
        return broken_limit(metric, result)[0]
    if limit > 0 and result["consecutive_success"] >= limit:
        return "Successful"
    if metric["count"] is not None and result["count"] >= metric["count"]:
        if limit > 0 and metric["failure_limit"] >= 0:
            return "Inconclusive"
        return "Failed" if limit > 0 else "Successful"
    return "Successful" if stop else "Running"


def assessed(metric: Json, result: Json | None, *, stop: bool) -> Json | None:
    """A result with its new phase; the message changes with the phase."""
    if result is not None:
        phase = phase_of(metric, result, stop=stop)
        if phase != result["phase"]:
            result["phase"], result["message"] = phase, result["measurements"][-1]["message"]
    return result


def judge(spec: list[Json], run: Json, now: int, *, asked: bool) -> None:
    """Phases, messages, summaries and times of a run after its measurements."""
    now -= now % 1000
    if run["started_at_unix_s"] is None:
        run["started_at_unix_s"] = now
    stop = stopping(run, asked=asked)
    run["run_summary"], run["dry_run_summary"] = new_summary(), new_summary()
    worst, message, everything_done = "", "Run Terminated" if asked else "", True
    for metric in spec:
        summary = run["dry_run_summary" if metric["is_dry_run"] else "run_summary"]
        summary["count"] += 1
        result = assessed(metric, result_named(run, metric["name"]), stop=stop)
        if result is None or result["phase"] not in DONE:
            everything_done = False
            continue
        limit, words = broken_limit(metric, result)
        summary[COUNTER[limit or "Successful"]] += 1
        if metric["is_dry_run"]:
            worst = worst or "Successful"
            if words:
                result["message"] = f"Metric assessed {result['phase']} due to {words}"
        elif not worst or BEST_FIRST.index(result["phase"]) > BEST_FIRST.index(worst):
            worst = result["phase"]
            if words:
                message = f'Metric "{metric["name"]}" assessed {worst} due to {words}'
                if result["message"]:
                    message += f': "Error Message: {result["message"]}"'
    conclude(run, now, worst, message, stop=stop, everything_done=everything_done)


def conclude(
    run: Json, now: int, worst: str, message: str, *, stop: bool, everything_done: bool
) -> None:
    """The table of run phases."""
    if stop and not worst:
        worst = "Successful"
    if not stop and (not everything_done or not worst):
        worst, message = "Running", ""
    if worst != run["phase"]:
        run["phase"], run["message"] = worst, message
        if worst in DONE:
            run["completed_at_unix_s"] = now


def wake_of(spec: list[Json], run: Json, now: int, *, asked: bool) -> int | None:
    """When the next pass is wanted, None if none is."""
    if run["phase"] in DONE:
        return None
    if stopping(run, asked=asked):
        return now
    wakes = []
    for metric in spec:
        result = result_named(run, metric["name"])
        if result is None:
            wakes.append(run["started_at_unix_s"] + metric["initial_delay_s"] * SECOND)
            continue
        if result["phase"] in DONE:
            continue
        last = result["measurements"][-1]
        if last["finished_at_unix_s"] is None:
            if last["resume_at_unix_s"] is not None:
                wakes.append(last["resume_at_unix_s"])
        elif last["phase"] == "Error":
            wakes.append(last["finished_at_unix_s"] + TEN_SECONDS)
        elif metric["interval_s"] is not None:
            wakes.append(last["finished_at_unix_s"] + int(metric["interval_s"] * SECOND))
    return max(now, int(min(wakes))) if wakes else None
