#include "guard/passwords.h"
