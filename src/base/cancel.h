// Ctrl-C: one flag that long work looks at, so that everything unwinds and cleans up after itself.
#pragma once

namespace vesal {

/// SIGINT and SIGTERM set the flag; a second one ends the process at once.
void install_cancel_handler();
bool cancel_requested();
void request_cancel();
/// Stops the work that goes on now as Ctrl-C would, but not the program: a server's job is cancelled. It holds until it is taken back.
void cancel_work(bool stop);
/// Whether the program itself is to end.
bool ending_requested();
/// Throws Error(cancelled) once the flag is set. Call it at least every 100 ms of work.
void check_cancelled();

}  // namespace vesal
