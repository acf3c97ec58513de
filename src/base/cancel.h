// Ctrl-C: one flag that long work looks at, so that everything unwinds and cleans up after itself.
#pragma once

namespace vesal {

/// SIGINT and SIGTERM set the flag; a second one ends the process at once.
void install_cancel_handler();
bool cancel_requested();
void request_cancel();
/// Throws Error(cancelled) once the flag is set. Call it at least every 100 ms of work.
void check_cancelled();

}  // namespace vesal
