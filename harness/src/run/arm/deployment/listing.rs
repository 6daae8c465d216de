//! What proxies are told of instances: the truth, unless a fault has it otherwise.

use super::Deployment;
use crate::deploy::mesh::{self, Endpoint};
use crate::fault::spec::Kind;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpSocket;

/// What proxies are told of an instance in the place of the truth.
pub(super) enum Lie {
    /// It is not there.
    Gone,
    /// It is as it was.
    Was(Endpoint),
    /// It is at the address of a socket that is bound, so that nobody else listens there, and never listens itself.
    Nowhere(TcpSocket),
}

impl Deployment {
    /// Puts an instance into the endpoints, or takes it out; false if the proxies are not told.
    pub(in crate::run::arm) fn set_ready(&mut self, index: usize, ready: bool) -> io::Result<bool> {
        if self.endpoints[index].ready == ready {
            return Ok(true);
        }
        self.endpoints[index].ready = ready;
        let told = !matches!(self.lies.get(&index), Some(Lie::Was(_)));
        if told {
            self.list()?;
        }
        Ok(told)
    }

    /// From now on the proxies are told what is not so.
    pub(in crate::run::arm) fn misinform(&mut self, index: usize, kind: &Kind) -> io::Result<()> {
        let lie = match kind {
            Kind::Stale => Lie::Was(self.endpoints[index].clone()),
            Kind::Misdirect => {
                let socket = TcpSocket::new_v4()?;
                socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
                Lie::Nowhere(socket)
            }
            _ => Lie::Gone,
        };
        self.lies.insert(index, lie);
        self.list()
    }

    /// From now on the proxies are told the truth.
    pub(in crate::run::arm) fn inform(&mut self, index: usize) -> io::Result<()> {
        self.lies.remove(&index);
        self.list()
    }

    fn list(&self) -> io::Result<()> {
        let told = self.endpoints.iter().enumerate().map(|(index, truth)| match self.lies.get(&index) {
            None => Ok(truth.clone()),
            Some(Lie::Gone) => Ok(Endpoint { listed: false, ..truth.clone() }),
            Some(Lie::Was(before)) => Ok(before.clone()),
            Some(Lie::Nowhere(socket)) => {
                let nowhere: SocketAddr = socket.local_addr()?;
                let doors = truth.doors.iter().map(|(port, _)| (port.clone(), nowhere)).collect();
                Ok(Endpoint { doors, ..truth.clone() })
            }
        });
        mesh::write_endpoints(&self.files.endpoints, &told.collect::<io::Result<Vec<_>>>()?)
    }
}
