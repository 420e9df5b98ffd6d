#pragma once

// What nearly every test of ioloop includes.

#include "standard.h"

#include <squall/ioloop.h>
#include <support/catch.h>
