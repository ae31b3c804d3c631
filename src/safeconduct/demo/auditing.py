"""Scene 7, beginning: somebody with a folder and a policy file recomputes everything."""

import subprocess
import sys

from safeconduct.demo.world import World, act, proof, tell
from safeconduct.errors import UnavailableError
from safeconduct.parties.registry.publish import publish
from safeconduct.parties.registry.receive import Registry

AUDIT_SECONDS = 240


def publish_and_audit(world: World, registry: Registry) -> None:
    """The registry publishes; an auditor, in a process of its own, checks the folder."""
    act(7, "An auditor recomputes everything; then everybody lies")
    captures = world.path("press", "captures")
    count = publish(registry, world.path("public"), captures)
    tell(f"the registry publishes all that an outsider may have: {count} files")
    command = [sys.executable, "-m", "safeconduct", "audit"]
    audited = subprocess.run(
        [*command, str(world.path("public")), "--policy", str(world.path("policy.txt"))],
        capture_output=True,
        text=True,
        timeout=AUDIT_SECONDS,
        check=False,
    )
    for line in audited.stdout.splitlines():
        tell(f"  {line}")
    if audited.returncode != 0:
        raise UnavailableError(f"the audit failed: {audited.stderr.strip()}")
    proof("from public bytes and the policy alone, offline: no server was asked")
    world.happened("auditor", "recomputes everything", "good")
