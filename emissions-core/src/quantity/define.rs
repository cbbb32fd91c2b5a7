/// A number with a unit. What the rules of combination ([`crate::footprint::uncertainty`]) need to know of it.
pub trait Quantity: Copy + PartialOrd {
    /// The number in the type's own unit (W, J, g, g/kWh).
    fn raw(self) -> f64;
    /// The quantity of this number in the type's own unit.
    fn from_raw(raw: f64) -> Self;
}

/// Defines a newtype over `f64` with the arithmetic that every unit has: sums, differences, multiples.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            /// None of it.
            pub const ZERO: Self = Self(0.0);
        }

        impl crate::quantity::Quantity for $name {
            fn raw(self) -> f64 {
                self.0
            }

            fn from_raw(raw: f64) -> Self {
                Self(raw)
            }
        }

        impl std::ops::Add for $name {
            type Output = Self;

            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl std::ops::AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl std::ops::Sub for $name {
            type Output = Self;

            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl std::ops::Mul<f64> for $name {
            type Output = Self;

            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor)
            }
        }

        impl std::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, |sum, part| sum + part)
            }
        }
    };
}

pub(super) use quantity;
