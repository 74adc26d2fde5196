// SPDX-License-Identifier: BSD-2-Clause
//
// Stands before libstdc++'s header of this name in an seL4 project: atomics without waiting and notifying, for which libstdc++
// would want threads, locales and streams of the C library that it was built with. Deliberately empty.
#pragma once
