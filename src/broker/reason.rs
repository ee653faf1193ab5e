//! Reason codes (MQTT 5.0, 2.4).
//!
//! Older versions have few of them; the codec writes what they have instead.

/// How something went, or why it ended. Codes that mean different things in different packets have one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum Reason {
    /// Also: granted `QoS` 0, normal disconnection.
    Success = 0x00,
    GrantedQos1 = 0x01,
    GrantedQos2 = 0x02,
    DisconnectWithWill = 0x04,
    NoMatchingSubscribers = 0x10,
    NoSubscriptionExisted = 0x11,
    ContinueAuthentication = 0x18,
    ReAuthenticate = 0x19,
    UnspecifiedError = 0x80,
    MalformedPacket = 0x81,
    ProtocolError = 0x82,
    ImplementationSpecificError = 0x83,
    UnsupportedProtocolVersion = 0x84,
    ClientIdentifierNotValid = 0x85,
    BadUserNameOrPassword = 0x86,
    NotAuthorized = 0x87,
    ServerUnavailable = 0x88,
    ServerBusy = 0x89,
    Banned = 0x8a,
    ServerShuttingDown = 0x8b,
    BadAuthenticationMethod = 0x8c,
    KeepAliveTimeout = 0x8d,
    SessionTakenOver = 0x8e,
    TopicFilterInvalid = 0x8f,
    TopicNameInvalid = 0x90,
    PacketIdentifierInUse = 0x91,
    PacketIdentifierNotFound = 0x92,
    ReceiveMaximumExceeded = 0x93,
    TopicAliasInvalid = 0x94,
    PacketTooLarge = 0x95,
    MessageRateTooHigh = 0x96,
    QuotaExceeded = 0x97,
    AdministrativeAction = 0x98,
    PayloadFormatInvalid = 0x99,
    RetainNotSupported = 0x9a,
    QosNotSupported = 0x9b,
    UseAnotherServer = 0x9c,
    ServerMoved = 0x9d,
    SharedSubscriptionsNotSupported = 0x9e,
    ConnectionRateExceeded = 0x9f,
    MaximumConnectTime = 0xa0,
    SubscriptionIdentifiersNotSupported = 0xa1,
    WildcardSubscriptionsNotSupported = 0xa2,
}

impl Reason {
    /// All of them.
    const ALL: [Reason; 43] = [
        Reason::Success,
        Reason::GrantedQos1,
        Reason::GrantedQos2,
        Reason::DisconnectWithWill,
        Reason::NoMatchingSubscribers,
        Reason::NoSubscriptionExisted,
        Reason::ContinueAuthentication,
        Reason::ReAuthenticate,
        Reason::UnspecifiedError,
        Reason::MalformedPacket,
        Reason::ProtocolError,
        Reason::ImplementationSpecificError,
        Reason::UnsupportedProtocolVersion,
        Reason::ClientIdentifierNotValid,
        Reason::BadUserNameOrPassword,
        Reason::NotAuthorized,
        Reason::ServerUnavailable,
        Reason::ServerBusy,
        Reason::Banned,
        Reason::ServerShuttingDown,
        Reason::BadAuthenticationMethod,
        Reason::KeepAliveTimeout,
        Reason::SessionTakenOver,
        Reason::TopicFilterInvalid,
        Reason::TopicNameInvalid,
        Reason::PacketIdentifierInUse,
        Reason::PacketIdentifierNotFound,
        Reason::ReceiveMaximumExceeded,
        Reason::TopicAliasInvalid,
        Reason::PacketTooLarge,
        Reason::MessageRateTooHigh,
        Reason::QuotaExceeded,
        Reason::AdministrativeAction,
        Reason::PayloadFormatInvalid,
        Reason::RetainNotSupported,
        Reason::QosNotSupported,
        Reason::UseAnotherServer,
        Reason::ServerMoved,
        Reason::SharedSubscriptionsNotSupported,
        Reason::ConnectionRateExceeded,
        Reason::MaximumConnectTime,
        Reason::SubscriptionIdentifiersNotSupported,
        Reason::WildcardSubscriptionsNotSupported,
    ];

    /// Returns the reason with this code; `None` where the standard has none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// Returns its code.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Returns whether something failed.
    #[must_use]
    pub fn is_error(self) -> bool {
        self.code() >= 0x80
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_read_back_and_the_others_are_none() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
        }
        assert_eq!((0..=255).filter(|code| Reason::from_code(*code).is_some()).count(), Reason::ALL.len());
        assert_eq!(Reason::from_code(0x03), None);
        assert!(Reason::NotAuthorized.is_error() && !Reason::NoSubscriptionExisted.is_error());
    }
}
