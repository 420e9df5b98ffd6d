#pragma once

// What nearly every program with a server includes.

#include "standard.h"

#include <squall/options.h>
#include <squall/web.h>
