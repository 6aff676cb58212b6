//! Options of level IPPROTO_TCP (tcp(4)), and `struct tcp_info`.

use alloc::vec::Vec;

use rump_abi::socket::{
    IPPROTO_TCP, SO_KEEPALIVE, SO_RCVBUF, SO_SNDBUF, SOL_SOCKET, TCP_INFO, TCP_KEEPCNT, TCP_KEEPIDLE,
    TCP_KEEPINIT, TCP_KEEPINTVL, TCP_MAXSEG, TCP_MINMSS, TCP_NODELAY, TCPI_OPT_SACK, TCPI_OPT_TIMESTAMPS,
    TCPI_OPT_WSCALE,
};
use rump_hypercall::time;
use rump_kern::Errno;
use rump_net::Socket;

use super::glue::look;
use super::tcb::Tcb;
use super::usrreq::TcpProtocol;

/// Bytes of `struct tcp_info`.
const INFO_LEN: usize = 236;

fn int(value: &[u8]) -> Result<i32, Errno> {
    value.first_chunk().map(|bytes| i32::from_le_bytes(*bytes)).ok_or(Errno::EINVAL)
}

/// A time in seconds, or a count: not 0.
fn positive(value: &[u8]) -> Result<u32, Errno> {
    u32::try_from(int(value)?).ok().filter(|&number| number > 0).ok_or(Errno::EINVAL)
}

impl TcpProtocol {
    /// setsockopt(2).
    ///
    /// # Errors
    /// ENOPROTOOPT, EINVAL; those of IP.
    pub(super) fn ctloutput_set(
        &self,
        so: &Socket,
        level: i32,
        name: i32,
        value: &[u8],
    ) -> Result<(), Errno> {
        match (level, name) {
            (IPPROTO_TCP, _) => {
                let mut options = self.options.get();
                match name {
                    TCP_NODELAY => options.no_delay = int(value)? != 0,
                    TCP_MAXSEG => {
                        let seg = int(value)?;
                        if !(TCP_MINMSS..=65_535).contains(&seg) {
                            return Err(Errno::EINVAL);
                        }
                        options.max_seg = seg as u16;
                    }
                    TCP_KEEPIDLE => options.keep_idle_s = positive(value)?,
                    TCP_KEEPINTVL => options.keep_interval_s = positive(value)?,
                    TCP_KEEPCNT => options.keep_count = positive(value)?,
                    TCP_KEEPINIT => options.keep_init_s = positive(value)?,
                    _ => return Err(Errno::ENOPROTOOPT),
                }
                self.options.set(options);
            }
            (SOL_SOCKET, SO_KEEPALIVE | SO_RCVBUF | SO_SNDBUF) => {}
            (SOL_SOCKET, _) => return Ok(()),
            _ => self.pcb.options.set(level, name, value, self.pcb.local.get().port != 0)?,
        }
        self.options_changed(so);
        Ok(())
    }

    /// getsockopt(2).
    ///
    /// # Errors
    /// ENOPROTOOPT; those of IP.
    pub(super) fn ctloutput_get(&self, _so: &Socket, level: i32, name: i32) -> Result<Vec<u8>, Errno> {
        if level != IPPROTO_TCP {
            return self.pcb.options.get(level, name);
        }
        let options = self.options.get();
        let conn = self.conn.get();
        let number = match name {
            TCP_NODELAY => u32::from(options.no_delay),
            TCP_MAXSEG => conn
                .and_then(|id| look(id, Tcb::segment_len))
                .unwrap_or_else(|| if options.max_seg == 0 { 536 } else { u32::from(options.max_seg) }),
            TCP_KEEPIDLE => options.keep_idle_s,
            TCP_KEEPINTVL => options.keep_interval_s,
            TCP_KEEPCNT => options.keep_count,
            TCP_KEEPINIT => options.keep_init_s,
            TCP_INFO => {
                let info = match (conn, self.listener.get()) {
                    (Some(id), _) => look(id, |tcb| info(tcb, time::monotonic_ns())),
                    // TCPS_LISTEN.
                    (None, Some(_)) => Some(state_only(1)),
                    (None, None) => None,
                };
                return Ok(info.unwrap_or_else(|| state_only(0)).to_vec());
            }
            _ => return Err(Errno::ENOPROTOOPT),
        };
        Ok(number.to_le_bytes().to_vec())
    }
}

fn state_only(state: u8) -> [u8; INFO_LEN] {
    let mut info = [0; INFO_LEN];
    info[0] = state;
    info
}

/// `struct tcp_info`; fields that NetBSD leaves at zero are left at zero.
fn info(tcb: &Tcb, now_ns: u64) -> [u8; INFO_LEN] {
    let mut info = state_only(tcb.state as u8);
    let mut options = 0;
    for (on, bit) in [
        (tcb.ts_ok, TCPI_OPT_TIMESTAMPS),
        (tcb.sack_ok, TCPI_OPT_SACK),
        (tcb.snd_scale != 0 || tcb.rcv_scale != 0, TCPI_OPT_WSCALE),
    ] {
        options |= if on { bit } else { 0 };
    }
    info[5] = options as u8;
    info[6] = tcb.snd_scale | tcb.rcv_scale << 4;
    let mut put = |at: usize, value: u32| info[at..at + 4].copy_from_slice(&value.to_le_bytes());
    put(8, tcb.rtt.timeout_us());
    put(16, tcb.segment_len());
    put(20, tcb.path.mss);
    put(52, ((now_ns.saturating_sub(tcb.heard_ns)) / 1000).min(u64::from(u32::MAX)) as u32);
    put(68, tcb.rtt.srtt_us());
    put(72, tcb.rtt.rttvar_us());
    put(76, tcb.congestion.ssthresh());
    put(80, tcb.congestion.window());
    put(96, tcb.rcv_adv.ahead_of(tcb.rcv_nxt));
    put(100, tcb.snd_wnd);
    put(108, tcb.nxt.0);
    put(112, tcb.rcv_nxt.0);
    put(120, tcb.retransmitted);
    put(124, tcb.out_of_order);
    put(128, tcb.zero_windows);
    info
}
