/// Which GPUs a run was given, in the language of `CUDA_VISIBLE_DEVICES`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Visible {
    /// No list: all of them.
    #[default]
    All,
    /// Indices, UUIDs and beginnings of UUIDs, in order.
    Listed(Vec<String>),
}

/// Which devices a list selects.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selection {
    /// Positions in the list of devices.
    pub devices: Vec<usize>,
    /// The first entry that names no device: CUDA ignores it and all that follow.
    pub invalid: Option<String>,
}

impl Visible {
    /// Reads the value of the variable; `None` where it is not set. An empty value is an empty list: no GPU.
    #[must_use]
    pub fn parse(list: Option<&str>) -> Self {
        match list {
            None => Self::All,
            Some(list) => Self::Listed(
                list.split(',')
                    .map(|entry| entry.trim().to_owned())
                    .filter(|entry| !entry.is_empty())
                    .collect(),
            ),
        }
    }

    /// Picks devices by their UUIDs, given in the order of their indices.
    #[must_use]
    pub fn select(&self, uuids: &[String]) -> Selection {
        let Self::Listed(entries) = self else {
            return Selection { devices: (0..uuids.len()).collect(), invalid: None };
        };
        let mut selection = Selection::default();
        for entry in entries {
            match find(entry, uuids) {
                Some(device) if !selection.devices.contains(&device) => selection.devices.push(device),
                Some(_) => {}
                None => {
                    // `-1` and old Slurm's `NoDevFiles` are how people write "none".
                    let none = entry == "-1" || entry.eq_ignore_ascii_case("NoDevFiles");
                    selection.invalid = (!none).then(|| entry.clone());
                    break;
                }
            }
        }
        selection
    }
}

fn find(entry: &str, uuids: &[String]) -> Option<usize> {
    if let Ok(index) = entry.parse::<usize>() {
        return (index < uuids.len()).then_some(index);
    }
    if !entry.starts_with("GPU-") {
        return None;
    }
    let mut matching = (0..).zip(uuids).filter(|(_, uuid)| uuid.starts_with(entry));
    match (matching.next(), matching.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(list: Option<&str>) -> Vec<usize> {
        let uuids = ["GPU-aaaa1111-0000", "GPU-bbbb2222-0000", "GPU-bbbb3333-0000"].map(String::from);
        Visible::parse(list).select(&uuids).devices
    }

    #[test]
    fn devices_are_those_the_run_was_given() {
        assert_eq!(select(None), [0, 1, 2]);
        assert_eq!(select(Some("1")), [1]);
        assert_eq!(select(Some("2,0")), [2, 0]);
        assert_eq!(select(Some("GPU-bbbb2222-0000")), [1]);
        assert_eq!(select(Some("GPU-bbbb2")), [1]);
        assert_eq!(select(Some("")), [0; 0]);
        assert_eq!(select(Some("-1")), [0; 0]);
        assert_eq!(select(Some("NoDevFiles")), [0; 0]);
    }

    #[test]
    fn cuda_stops_at_the_first_entry_that_names_nothing() {
        assert_eq!(select(Some("0,9,1")), [0]);
        assert_eq!(select(Some("0,-1,1")), [0]);
        assert_eq!(select(Some("GPU-bbbb")), [0; 0], "two devices begin so");
        assert_eq!(select(Some("0,0,1")), [0, 1]);
    }
}
