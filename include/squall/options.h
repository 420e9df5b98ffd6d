#pragma once

// The options of a program: all of options/ that a program uses.

#include <squall/options/error.h>
#include <squall/options/global_options.h>
#include <squall/options/logging_options.h>
#include <squall/options/option.h>
#include <squall/options/option_override.h>
#include <squall/options/option_parser.h>
#include <squall/options/time_text.h>
#include <squall/options/value_type.h>
