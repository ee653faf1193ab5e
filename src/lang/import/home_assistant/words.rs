//! Names: how Home Assistant makes an object id from a name, and we a rule's key.

/// Returns a name as Home Assistant's `slugify` does: small letters, digits and `_`.
pub(super) fn slug(name: &str) -> String {
    joined(name, '_')
}

/// Returns a name as a rule's key: small letters, digits and `-`.
pub(super) fn key(name: &str) -> String {
    joined(name, '-')
}

#[expect(clippy::match_same_arms, reason = "a line for each kind of letter")]
fn joined(name: &str, between: char) -> String {
    let mut slug = String::new();
    let mut is_apart = false;
    for letter in name.chars().flat_map(char::to_lowercase) {
        let plain: &str = match letter {
            'ä' => "a",
            'ö' => "o",
            'ü' => "u",
            'ß' => "ss",
            'é' | 'è' | 'ê' | 'ë' => "e",
            'á' | 'à' | 'â' | 'ã' | 'å' => "a",
            'ó' | 'ò' | 'ô' | 'õ' | 'ø' => "o",
            'ú' | 'ù' | 'û' => "u",
            'í' | 'ì' | 'î' | 'ï' => "i",
            'ç' => "c",
            'ñ' => "n",
            'æ' => "ae",
            'œ' => "oe",
            'ł' => "l",
            'ś' | 'š' => "s",
            'ż' | 'ź' | 'ž' => "z",
            'ć' | 'č' => "c",
            'ń' => "n",
            'ę' => "e",
            'ą' => "a",
            '\'' | '’' => continue,
            letter if letter.is_ascii_alphanumeric() => {
                if is_apart && !slug.is_empty() {
                    slug.push(between);
                }
                is_apart = false;
                slug.push(letter);
                continue;
            }
            _ => {
                is_apart = true;
                continue;
            }
        };
        if is_apart && !slug.is_empty() {
            slug.push(between);
        }
        is_apart = false;
        slug.push_str(plain);
    }
    slug
}
