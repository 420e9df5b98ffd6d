#pragma once

// Headers of nearly every test of websocket.

#include "standard.h"

#include <squall/testing.h>
#include <squall/web.h>
#include <squall/websocket.h>
#include <support/catch.h>
