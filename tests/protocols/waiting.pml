// SPDX-License-Identifier: BSD-2-Clause
//
// A vCPU that waits, interrupts that come meanwhile, and a pause: docs/threading.md, "No wake-up is lost".
// One vCPU on its executor, two threads that each raise an interrupt, one that pauses the VM and lets it go on. The guest ends when it has taken
// all interrupts; until then it waits, spins, or sends itself one. Whoever hangs is an invalid end state.
// The port is what host/vcpu_port.hpp promises: el2's own is another model (processor.pml). The interrupt controller is what is pending for
// the vCPU, and what is in its list registers.
//
// stands for: src/sel4vm/vm/vcpu.hpp request_sync take_sync_request
// stands for: src/sel4vm/vm/dispatch.cpp Vm::handle Vm::settle_answer
// stands for: src/sel4vm/vm/lifecycle.cpp Vm::request Vm::kick_all Vm::parked Vm::settle Vm::run_again
// stands for: src/sel4vm/dev/arm/gic/gic.cpp Gic::sync Gic::has_deliverable
//
// mutant: FORGETS_EARLY_KICKS     the port loses a kick that comes before the block
// mutant: BLOCKS_UNSEEN           no has_deliverable() before the block
// mutant: LOOKS_BEFORE_THE_END    the end of an exit looks for requests before it says that the exit is over (or the two change places)
// mutant: ASKS_LATE               request_sync() looks at in_exit_ before it stores the request
// mutant: NEVER_KICKS             nobody kicks one that is not in an exit
// mutant: PAUSES_QUIETLY          a pause does not kick

#define ALL 7 /* interrupts 1 and 2 from others, 4 from itself */

#define OVER (resumed && (sent -> taken == ALL : taken == ALL - 4))

mtype = { ready, blocked, stopped, running, pausing, paused };

mtype port = ready;
bit kick_due;
bit in_exit;
bit needs_sync = 1;
mtype state = running;
bit parked;
byte pending; /* in the interrupt controller */
byte loaded;  /* in list registers */
byte taken;
bit resumed;
bit sent; /* its own */

inline kick() {
    atomic {
        kick_due = 1;
        if
        :: port == blocked -> port = ready
        :: else
        fi
    }
}

/* The controller changes under its lock, and asks the vCPU afterwards. */
inline raise(which) {
    atomic { pending = pending | which }
#ifdef ASKS_LATE
    if
    :: !in_exit -> needs_sync = 1; kick()
    :: else -> needs_sync = 1
    fi
#else
    needs_sync = 1;
    if
#ifdef NEVER_KICKS
    :: true
#else
    :: !in_exit -> kick()
    :: else
#endif
    fi
#endif
}

active proctype executor() {
    bit waits, blocks, stops, asked;
    do
    :: OVER -> break
    :: atomic { port == ready && kick_due -> kick_due = 0; waits = 0 }
        goto exit
    :: port == ready && !kick_due && loaded != 0 ->
        atomic { assert((taken & loaded) == 0); taken = taken | loaded; loaded = 0 }
    :: port == ready && !kick_due && loaded == 0 -> waits = 1;
        goto exit
    :: port == ready && !kick_due && loaded == 0 -> /* spins until it is interrupted */
        kick_due || OVER
    :: port == ready && !kick_due && !sent -> waits = 0;
        goto exit
    :: false ->
exit:
        in_exit = 1;
        if
        :: !sent -> sent = 1; atomic { pending = pending | 4 } needs_sync = 1 /* in_exit_ is true: no kick */
        :: true
        fi;
#ifdef LOOKS_BEFORE_THE_END
        asked = needs_sync;
        in_exit = 0;
#else
        in_exit = 0;
        asked = needs_sync;
#endif
        blocks = 0;
        stops = 0;
        if
        :: asked || waits ->
            blocks = waits;
            if
            :: asked -> needs_sync = 0; atomic { loaded = loaded | pending; pending = 0 }
            :: else
            fi;
#ifndef BLOCKS_UNSEEN
            if
            :: blocks && (pending | loaded) != 0 -> blocks = 0
            :: else
            fi;
#endif
            if
            :: state != running -> needs_sync = 1; stops = 1
            :: else
            fi
        :: else
        fi;
        if
        :: stops -> port = stopped; parked = 1;
            atomic {
                if
                :: state == pausing -> state = paused
                :: else
                fi
            }
        :: !stops && blocks ->
            atomic {
                if
#ifdef FORGETS_EARLY_KICKS
                :: true -> kick_due = 0; port = blocked
#else
                :: kick_due
                :: else -> port = blocked
#endif
                fi
            }
        :: else
        fi
    od
}

active proctype device() { raise(1) }

active proctype another_vcpu() { raise(2) }

active proctype client() {
    /* pause() */
    state = pausing;
    needs_sync = 1;
#ifndef PAUSES_QUIETLY
    if
    :: !parked -> kick()
    :: else
    fi;
#endif
    state == paused;
    /* resume() */
    state = running;
    needs_sync = 1;
    parked = 0;
    atomic { port == stopped -> port = ready }
    kick();
    resumed = 1
}
