/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Present so that clients which include it compile; capability operations exist on seL4 only.
 */
#pragma once

#include <vka/vka.h>
