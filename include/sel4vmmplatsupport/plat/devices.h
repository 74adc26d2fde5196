/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kept for clients that include it: there are no devices that depend on the platform's name.
 */
#pragma once
