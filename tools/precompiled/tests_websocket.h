#pragma once

// What nearly every test of websocket includes.

#include "standard.h"

#include <squall/testing.h>
#include <squall/web.h>
#include <squall/websocket.h>
#include <support/catch.h>
