// SPDX-License-Identifier: BSD-2-Clause
//
// A request to a VM (pause, reset, stop) that meets vCPUs which stop by themselves at the same moment, because they turn themselves off or their
// handler holds them: docs/threading.md, "Stopping a vCPU". Two vCPUs, each on an executor of its own; somebody must carry the request out.
//
// stands for: src/sel4vm/vm/lifecycle.cpp Vm::request Vm::kick_all Vm::all_parked Vm::parked Vm::settle
// stands for: src/sel4vm/vm/executor.cpp Executor::on_stop Executor::on_other_event
//
// mutant: ASKS_NOBODY         a request to a VM of which nothing runs asks for no turn
// mutant: LOOKS_FIRST         a request looks who is parked before it changes the state
// mutant: SETTLES_FIRST       an executor looks at the state before its vCPU counts as parked

mtype = { running, stopping, stopped };

mtype state = running;
bit parked[2];
bit kick_due[2];
bit turn_due; /* of vCPU 0 */

#define me _pid

inline settle() {
    if
    :: wanted && parked[0] && parked[1] ->
        atomic { /* under the lifecycle's lock */
            if
            :: state == stopping -> state = stopped
            :: else
            fi
        }
    :: else
    fi
}

inline park() {
#ifdef SETTLES_FIRST
    wanted = (state != running);
    parked[me] = 1;
#else
    parked[me] = 1;
    wanted = (state != running);
#endif
    settle()
}

active [2] proctype executor() {
    bit by_itself, wanted;
    if
    :: by_itself = 1
    :: by_itself = 0
    fi;
    do
    :: state == stopped -> break
    :: by_itself && !parked[me] -> park()
    :: kick_due[me] && !parked[me] -> kick_due[me] = 0;
        if
        :: state != running -> park()
        :: else
        fi
    :: me == 0 && turn_due -> turn_due = 0;
        wanted = (state != running);
        settle()
    od
}

active proctype client() {
#ifdef LOOKS_FIRST
    bit first = parked[0], second = parked[1];
#define first_parked first
#define second_parked second
#else
#define first_parked parked[0]
#define second_parked parked[1]
#endif
    state = stopping;
    if
    :: !first_parked -> kick_due[0] = 1
    :: else
    fi;
    if
    :: !second_parked -> kick_due[1] = 1
    :: else
    fi;
#ifndef ASKS_NOBODY
    if
    :: first_parked ->
        if
        :: second_parked -> turn_due = 1
        :: else
        fi
    :: else
    fi
#endif
}
