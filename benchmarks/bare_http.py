"""The least that a server in this interpreter can do: read 32 bytes, answer with a constant.

A process of its own for `door_commits`: python -m benchmarks.bare_http BYTES
"""

import sys

from safeconduct.plumbing import terminal, web


def main() -> None:
    """Serve until terminated; every POST to / is answered with so many bytes."""
    answer = bytes(int(sys.argv[1]))

    async def take(request: web.Request) -> web.Response:
        await web.read_body(request, bytes_max=32)
        return web.data(answer)

    app = web.make_app([web.Route("POST", "/", take)])
    web.serve(app, "127.0.0.1:0", ready=lambda url: terminal.say(f"listening on {url}"))


if __name__ == "__main__":
    main()
