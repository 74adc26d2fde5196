// SPDX-License-Identifier: BSD-2-Clause
//
// Two executors of one VM, each with one vCPU, and when they give the VM up: docs/threading.md, "Several executors of one VM".
// The vCPUs do three things between them, whichever: interrupt each other, or arm a timeout (which interrupts a vCPU) in either executor's
// queue. Then both wait for ever, and the VM must be given up: not before, and not never, and both executors must hear of it.
// Ports are what host/event_port.hpp promises; one that waits sees whatever comes.
//
// stands for: src/sel4vm/vm/serving_executors.cpp ServingExecutors::set ServingExecutors::idle_since ServingExecutors::wake_all
// stands for: src/sel4vm/vm/executor.cpp Executor::leave_idle Executor::waits_for_ever Executor::on_idle
// stands for: src/sel4vm/vm/executor_loop.hpp Executor::serve_one
// stands for: src/sel4vm/vm/executor.cpp Executor::earliest_changed Executor::settle_all
// stands for: src/sel4vm/vm/timeout.cpp TimeoutQueue::arm TimeoutQueue::run_due
// stands for: src/sel4vm/vm/lifecycle.cpp Vm::any_woken Vm::stop_because Vm::kick_all Vm::settle
// stands for: src/sel4vm/vm/vcpu.hpp request_sync
//
// mutant: LOOKS_ONCE             waits_for_ever() does not ask a second time whether anybody was busy in between
// mutant: IGNORES_WOKEN          waits_for_ever() does not look whether a vCPU was woken
// mutant: ARMS_AN_IDLE_ONE       a timeout that is armed leaves the queue's owner idle
// mutant: IDLE_WITHOUT_LOCK      on_idle() says that it is idle after it has unlocked its queue
// mutant: SAYS_LATE              an executor that gets an event is not idle any more before it has said so
// mutant: STAYS_IDLE             an executor that gets an event stays idle
// mutant: STOPS_QUIETLY          who stops the VM does not wake the others

#define ACTS 3

mtype = { running, stopping, stopped };

mtype state = running;
byte acts;
bit is_blocked[2];
bit works[2] = 1;  /* the guest has something to do: at first, and for each interrupt; a wait that ends for nothing begins again */
bit kick_due[2];
bit needs_sync[2];
bit pending[2];
bit parked[2];
bit queue_lock[2];
bit alarm[2];      /* armed in the executor's queue */
bit woken[2];      /* by wake() */
bit idle[2];       /* the executor's own word */
bit says_idle[2];  /* ServingExecutors */
bit unchanged[2];  /* since the executor looked: its number of changes is the same */

inline lock(e) { atomic { queue_lock[e] == 0 -> queue_lock[e] = 1 } }
inline unlock(e) { queue_lock[e] = 0 }

inline interrupt(v) {
    atomic { pending[v] = 1 }
    needs_sync[v] = 1;
    kick_due[v] = 1
}

inline leave_idle(e) {
#ifdef SAYS_LATE
    atomic {
        was_idle = idle[e];
        idle[e] = 0
    }
#else
    was_idle = idle[e];
#endif
    if
    :: was_idle -> atomic { unchanged[0] = 0; unchanged[1] = 0; says_idle[e] = 0 }
#ifndef SAYS_LATE
        idle[e] = 0
#endif
    :: else
    fi
}

inline arm(e) {
    lock(e);
#ifndef ARMS_AN_IDLE_ONE
    leave_idle(e);
#endif
    alarm[e] = 1;
    unlock(e)
}

inline wake_all() { woken[0] = 1; woken[1] = 1 }

inline settle() {
    atomic {
        settles = parked[0] && parked[1] && state == stopping;
        if
        :: settles -> state = stopped
        :: else
        fi
    }
    if
    :: settles -> wake_all()
    :: else
    fi
}

#define me _pid
#define other (1 - _pid)
#define SOMETHING_TO_DO (kick_due[me] || woken[me] || alarm[me])

active [2] proctype executor() {
    bit was_idle;
    bit late, settles;
    byte to;

again:
    do
    :: state == stopped -> break
    :: state != stopped && !parked[me] && !is_blocked[me] && !kick_due[me] -> /* the guest runs, until it exits */
        if
        :: works[me] && acts < ACTS ->
            atomic {
                if
                :: acts < ACTS -> acts++
                :: else -> goto again
                fi
            }
            if
            :: to = 0
            :: to = 1
            fi;
            if
            :: arm(to)
            :: to != me -> interrupt(other)
            :: to == me
            fi
        :: true -> works[me] = 0; /* it waits */
            if
            :: needs_sync[me] -> needs_sync[me] = 0
            :: else
            fi;
            if
            :: state != running -> parked[me] = 1; settle()
            :: else -> atomic {
                    if
                    :: pending[me] -> pending[me] = 0; works[me] = 1
                    :: else -> is_blocked[me] = 1
                    fi
                }
            fi
        fi
    :: atomic { state != stopped && kick_due[me] && !parked[me] -> kick_due[me] = 0; is_blocked[me] = 0 }
#ifndef STAYS_IDLE
        leave_idle(me);
#endif
        needs_sync[me] = 0;
        atomic { works[me] = works[me] || pending[me]; pending[me] = 0 } /* taken as soon as the guest is entered */
        if
        :: state != running -> parked[me] = 1; settle()
        :: else
        fi
    :: atomic { state != stopped && alarm[me] } /* who armed it has ended the idleness */
        lock(me);
        late = alarm[me];
        alarm[me] = 0;
        unlock(me);
        if
        :: late && !parked[me] -> interrupt(me)
        :: late && !parked[other] -> interrupt(other)
        :: else
        fi
    :: atomic { state != stopped && woken[me] -> woken[me] = 0 }
#ifndef STAYS_IDLE
        leave_idle(me);
#endif
    :: state != stopped && (is_blocked[me] || parked[me]) && !SOMETHING_TO_DO -> /* EventKind::idle */
        lock(me);
        if
        :: alarm[me] -> unlock(me)
        :: else ->
#ifdef IDLE_WITHOUT_LOCK
            unlock(me);
#endif
            idle[me] = 1;
            atomic { unchanged[0] = 0; unchanged[1] = 0; says_idle[me] = 1 }
#ifndef IDLE_WITHOUT_LOCK
            unlock(me);
#endif
            if
            :: state == running ->
                atomic { unchanged[me] = 1; late = says_idle[0] && says_idle[1] }
#ifndef IGNORES_WOKEN
                late = late && !needs_sync[0];
                late = late && !needs_sync[1];
#endif
#ifndef LOOKS_ONCE
                late = late && says_idle[0] && says_idle[1] && unchanged[me];
#endif
                if
                :: late ->
                    atomic { /* stop_because() */
                        if
                        :: state == running -> state = stopping;
                            assert(!works[0] && !works[1]);
                            assert(!pending[0] && !pending[1] && !alarm[0] && !alarm[1])
                        :: else -> goto again
                        fi
                    }
                    needs_sync[0] = 1;
                    needs_sync[1] = 1;
#ifdef STOPS_QUIETLY
                    kick_due[me] = 1;
#else
                    kick_due[0] = 1;
                    kick_due[1] = 1;
                    wake_all();
#endif
                    goto again
                :: else
                fi
            :: else
            fi;
            SOMETHING_TO_DO || state == stopped /* wait_for_others() */
        fi
    od
}
