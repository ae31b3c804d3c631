"""`safeconduct desk assessment`: hand a tip's grade to a registry that was shown the tip."""

import argparse
from pathlib import Path

from safeconduct.parties.desk.assess import assessment_for
from safeconduct.parties.desk.desk import open_desk
from safeconduct.parties.desk.keys_command import find_tip
from safeconduct.plumbing import terminal
from safeconduct.plumbing.durable import write_secret
from safeconduct.plumbing.handover import handing_over
from safeconduct.plumbing.terminal import Verbs

ASSESSMENT_FILE, PROOF_FILE = "tip.assessment", "tip.tlog-proof"

_ASSESSMENT = """\
Writes the signed assessment of a tip and its proof, for a registry that was shown this very tip
in a claim. From then on no credit is given for it; of a credited tip nothing is written:

  $ safeconduct desk assessment 9d3f --dir desk --out for-the-register
  for-the-register/tip.assessment
  for-the-register/tip.tlog-proof
"""


def add_verbs(verbs: Verbs) -> None:
    """Add `assessment` to the verbs of a desk."""
    verb = terminal.add_verb(verbs, "assessment", "hand out a tip's grade", _ASSESSMENT)
    verb.add_argument("hash", metavar="HASH", help="record hash, or its first digits")
    verb.add_argument("--dir", type=Path, required=True, help="folder of this desk")
    verb.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new one")
    verb.set_defaults(run=_assessment)


def _assessment(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    with handing_over(arguments.out) as folder:
        record, proof = assessment_for(desk, find_tip(desk, arguments.hash))
        write_secret(folder / ASSESSMENT_FILE, record)
        write_secret(folder / PROOF_FILE, proof)
    for name in (ASSESSMENT_FILE, PROOF_FILE):
        terminal.say(str(arguments.out / name))
    return 0
