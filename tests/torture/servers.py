"""Archives and databases that give faulty answers, die and come back."""

import signal
import time

from bench import DONE, FAILED, UNSETTLED


def faulty_answers(name):
    def inflict(run, rng):
        archive = run.chain.archive
        archive.start("--faults", f"{name}={rng.uniform(0.05, 0.15):.3f}", "--seed", rng.randint(1, 1000))
        try:
            # A source that is refused (400) cannot do without that answer.
            run.expect(run.start(), {DONE, FAILED, UNSETTLED})
            return archive.faults()
        finally:
            archive.start()

    return inflict


def faulty_answers_and_kills(run, rng):
    """Everything at once."""
    archive = run.chain.archive
    archive.start("--faults", "all=0.03", "--seed", rng.randint(1, 1000))
    try:
        for _ in range(4):
            process = run.start()
            run.send(process, signal.SIGKILL, rng.uniform(0.1, 0.8) * run.chain.seconds)
            run.expect(process, {DONE, UNSETTLED, -signal.SIGKILL})
        return archive.faults()
    finally:
        archive.start()


def archive_dies(run, rng):
    """And comes back; nobody needs to resume the run."""
    process, deaths = run.start(), 0
    for _ in range(3):
        if not run.send(process, 0, rng.uniform(0.05, 0.3) * run.chain.seconds):
            break
        run.chain.archive.stop()
        time.sleep(rng.uniform(0.1, 1))
        run.chain.archive.start()
        deaths += 1
    run.expect(process, {DONE})
    return deaths


def database_dies(how):
    """In mid-stream, when some bytes have come."""

    def inflict(run, rng):
        deaths = []

        def restart():
            run.chain.server.stop(how)
            run.chain.server.start_again()
            deaths.append(how)

        proxy = run.chain.proxy
        proxy.hook, proxy.left = restart, rng.randint(1, int(run.chain.received * 0.9))
        try:
            run.expect(run.start(), {DONE})
        finally:
            proxy.left = None
        return len(deaths)

    return inflict


def killed_backends(run, rng):
    """pg_terminate_backend, whenever there is one."""
    process, killed = run.start(), 0
    while process.poll() is None:
        time.sleep(rng.uniform(0, 0.1))
        if killed < 4:
            rows = run.chain.server.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'qsohost'"
            )
            killed += len(rows)
    run.expect(process, {DONE})
    return killed
