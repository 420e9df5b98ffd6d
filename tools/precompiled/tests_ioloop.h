#pragma once

// Headers of nearly every test of ioloop.

#include "standard.h"

#include <squall/ioloop.h>
#include <support/catch.h>
