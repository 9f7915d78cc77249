"""Runs a program on a terminal of its own: ROWS COLUMNS SECONDS WHAT PROGRAM...

WHAT happens SECONDS after the program said its first: "interrupt", "resize" (to 10 rows, and an interrupt as long after), or a number: that process is killed.
Prints what the terminal was sent, and ends as the program did.
"""
import fcntl, os, pty, select, signal, struct, sys, termios, time

rows, columns, seconds, what = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
child, terminal = pty.fork()
if child == 0:
    time.sleep(0.2)  # until the terminal has its size
    os.execvp(sys.argv[5], sys.argv[5:])


def resize(lines):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def interrupt():
    os.write(terminal, b"\x03")


resize(rows)
begun, started = time.time(), False
steps = {"interrupt": [interrupt], "resize": [lambda: resize(10), interrupt]}.get(what)
steps = steps or [lambda: os.kill(int(what), signal.SIGTERM)]
while True:
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            sent = os.read(terminal, 65536)
        except OSError:
            break
        sys.stdout.buffer.write(sent)
        begun, started = begun if started else time.time(), True
    if started and steps and time.time() - begun > seconds:
        begun = time.time()
        sys.stdout.buffer.write(b"<then>")
        steps.pop(0)()
    if time.time() - begun > 60:
        os.kill(child, signal.SIGKILL)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
