#pragma once

// Headers of nearly every program with a server.

#include "standard.h"

#include <squall/options.h>
#include <squall/web.h>
