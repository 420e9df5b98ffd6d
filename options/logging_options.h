#pragma once

#include <squall/options/option_parser.h>

namespace squall::options {

// Adds the options of log::Options, in the group `Logging` (LOG-10 to LOG-17), and a parse callback that
// calls log::enable_pretty_logging() with them (LOG-06):
//
//     --logging=LEVEL            debug, info, warning, error or none; default info
//     --log-to-stderr            also if there is a log file
//     --log-file-prefix=PATH     the log file
//     --log-file-max-size, --log-file-num-backups
//     --log-rotate-mode, --log-rotate-when, --log-rotate-interval
//
// With `--logging=none` the callback does nothing. Throws Error if one of the names is taken. The callback
// throws Error if the log file cannot be opened, and for values that log::RotatingFile refuses.
void define_logging_options(OptionParser& parser);

}  // namespace squall::options
