//! What of a message may be shown, recorded and remembered: no secret, and no payload that is too large to keep.

use std::borrow::Cow;
use std::sync::Arc;

use crate::devices::PayloadLimit;
use crate::model::{Message, Payload, Secrets, Size};

/// Holds back what of a message isn't for those who look on.
#[derive(Debug, Clone, Default)]
pub(in crate::daemon) struct Shown {
    limit: PayloadLimit,
    secrets: Arc<Secrets>,
}

impl Shown {
    /// Returns what shows payloads within `limit`, and no `secrets`.
    pub(in crate::daemon) fn new(limit: PayloadLimit, secrets: &Arc<Secrets>) -> Shown {
        Shown { limit, secrets: Arc::clone(secrets) }
    }

    /// From now on masks `secrets`.
    pub(in crate::daemon) fn mask(&mut self, secrets: &Arc<Secrets>) {
        self.secrets = Arc::clone(secrets);
    }

    /// Returns what is shown of `message`.
    pub(in crate::daemon) fn of<'a>(&self, message: &'a Message) -> Cow<'a, Message> {
        if self.limit.size(message) == Size::TooLarge {
            let payload = Payload::too_large(message.payload.bytes().len());
            return Cow::Owned(Message { payload, ..message.clone() });
        }
        self.secrets.mask_message(message).map_or(Cow::Borrowed(message), Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::DeviceSettings;
    use crate::model::{Origin, Qos, Topic, Withheld};

    #[test]
    fn neither_a_secret_nor_a_payload_that_is_too_large_is_shown() {
        let secrets = Arc::new(Secrets::new(["hunter2".into()]));
        let shown = Shown::new(PayloadLimit::new(20, DeviceSettings::default()), &secrets);
        let of = |payload: &str| {
            let (topic, payload) = (Topic::parse("a/b").unwrap(), Payload::from_bytes(payload.to_owned()));
            let (qos, origin) = (Qos::AtMostOnce, Origin::Live);
            let message = Message { topic, payload, qos, retain: false, origin, expires_at: None };
            let payload = shown.of(&message).payload.clone();
            (payload.text().unwrap().to_owned(), payload.withheld())
        };
        assert_eq!(of("ON"), ("ON".to_owned(), None));
        assert_eq!(of("hunter2"), ("•••".to_owned(), Some(Withheld::Masked)));
        assert_eq!(of("hunter2 and much more"), (String::new(), Some(Withheld::TooLarge(21))));
    }
}
