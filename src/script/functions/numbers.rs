//! The functions of numbers.

use super::function::{Function, Kind, Registry, function};
use super::values::whole;

/// The functions.
pub(super) static ROWS: [Function; 40] = [
    function("abs", 1, 1, "abs(x)", "The number without its sign.").gives(Kind::Number),
    function("sign", 1, 1, "sign(x)", "-1, 0 or 1.").gives(Kind::Number),
    function("min", 2, 2, "min(a, b)", "The smaller one."),
    function("max", 2, 2, "max(a, b)", "The larger one."),
    function("sqrt", 1, 1, "sqrt(x)", "The square root.").gives(Kind::Number).by(|row| of_whole(row, f64::sqrt)),
    function("exp", 1, 1, "exp(x)", "e to the power of x.").gives(Kind::Number).by(|row| of_whole(row, f64::exp)),
    function("ln", 1, 1, "ln(x)", "The natural logarithm.").gives(Kind::Number).by(|row| of_whole(row, f64::ln)),
    function("log", 1, 2, "log(x)", "The logarithm to base 10, or to another. Of a text, `log` writes to the log.").by(
        |row| {
            of_whole(row, f64::log10);
            of_two(row, f64::log);
        },
    ),
    function("sin", 1, 1, "sin(x)", "The sine of an angle in radians.")
        .gives(Kind::Number)
        .by(|row| of_whole(row, f64::sin)),
    function("cos", 1, 1, "cos(x)", "The cosine.").gives(Kind::Number).by(|row| of_whole(row, f64::cos)),
    function("tan", 1, 1, "tan(x)", "The tangent.").gives(Kind::Number).by(|row| of_whole(row, f64::tan)),
    function("asin", 1, 1, "asin(x)", "The angle of a sine.").gives(Kind::Number).by(|row| of_whole(row, f64::asin)),
    function("acos", 1, 1, "acos(x)", "The angle of a cosine.").gives(Kind::Number).by(|row| of_whole(row, f64::acos)),
    function("atan", 1, 2, "atan(x)", "The angle of a tangent; of two numbers, that of a point.")
        .gives(Kind::Number)
        .by(|row| {
            of_whole(row, f64::atan);
            of_two(row, f64::atan2);
        }),
    function("sinh", 1, 1, "sinh(x)", "The hyperbolic sine.").gives(Kind::Number).by(|row| of_whole(row, f64::sinh)),
    function("cosh", 1, 1, "cosh(x)", "The hyperbolic cosine.").gives(Kind::Number).by(|row| of_whole(row, f64::cosh)),
    function("tanh", 1, 1, "tanh(x)", "The hyperbolic tangent.").gives(Kind::Number).by(|row| of_whole(row, f64::tanh)),
    function("asinh", 1, 1, "asinh(x)", "Its inverse.").gives(Kind::Number).by(|row| of_whole(row, f64::asinh)),
    function("acosh", 1, 1, "acosh(x)", "Its inverse.").gives(Kind::Number).by(|row| of_whole(row, f64::acosh)),
    function("atanh", 1, 1, "atanh(x)", "Its inverse.").gives(Kind::Number).by(|row| of_whole(row, f64::atanh)),
    function("hypot", 2, 2, "hypot(x, y)", "The length of the hypotenuse.")
        .gives(Kind::Number)
        .by(|row| of_two(row, f64::hypot)),
    function("floor", 1, 1, "floor(x)", "The whole number below.").gives(Kind::Number).by(|row| {
        row.add(|x: i64| x).add(|x: f64| whole(x.floor()));
    }),
    function("ceiling", 1, 1, "ceiling(x)", "The whole number above.").gives(Kind::Number).by(|row| {
        row.add(|x: i64| x).add(|x: f64| whole(x.ceil()));
    }),
    function("int", 1, 1, "int(x)", "The part before the decimal point.").gives(Kind::Number),
    function("fraction", 1, 1, "fraction(x)", "The part after the decimal point.").gives(Kind::Number),
    function("to_int", 1, 1, "to_int(x)", "The number as a whole one.").gives(Kind::Number).by(|row| {
        row.add(|x: i64| x);
    }),
    function("to_float", 1, 1, "to_float(x)", "The number as one with a fraction.").gives(Kind::Number).by(|row| {
        row.add(|x: f64| x);
    }),
    function("to_degrees", 1, 1, "to_degrees(x)", "Radians in degrees.")
        .gives(Kind::Number)
        .by(|row| of_whole(row, f64::to_degrees)),
    function("to_radians", 1, 1, "to_radians(x)", "Degrees in radians.")
        .gives(Kind::Number)
        .by(|row| of_whole(row, f64::to_radians)),
    function("is_nan", 1, 1, "is_nan(x)", "Whether it isn't a number at all.").gives(Kind::Boolean),
    function("is_finite", 1, 1, "is_finite(x)", "Whether it is finite.").gives(Kind::Boolean),
    function("is_infinite", 1, 1, "is_infinite(x)", "Whether it is infinite.").gives(Kind::Boolean),
    function("is_zero", 1, 1, "is_zero(x)", "Whether it is 0.").gives(Kind::Boolean),
    function("is_odd", 1, 1, "is_odd(x)", "Whether it is odd.").gives(Kind::Boolean),
    function("is_even", 1, 1, "is_even(x)", "Whether it is even.").gives(Kind::Boolean),
    function("to_hex", 1, 1, "to_hex(x)", "Its hexadecimal digits.").gives(Kind::Text),
    function("to_octal", 1, 1, "to_octal(x)", "Its octal digits.").gives(Kind::Text),
    function("to_binary", 1, 1, "to_binary(x)", "Its binary digits.").gives(Kind::Text),
    function("PI", 0, 0, "PI()", "π.").gives(Kind::Number),
    function("E", 0, 0, "E()", "e.").gives(Kind::Number),
];

/// Registers a function of Rhai's for whole numbers too.
fn of_whole(row: &mut Registry<'_>, function: fn(f64) -> f64) {
    #[expect(clippy::cast_precision_loss, reason = "these functions round anyway")]
    row.add(move |x: i64| function(x as f64));
}

/// Registers a function of two numbers where one or both are whole.
fn of_two(row: &mut Registry<'_>, function: fn(f64, f64) -> f64) {
    #[expect(clippy::cast_precision_loss, reason = "these functions round anyway")]
    row.add(move |x: i64, y: i64| function(x as f64, y as f64))
        .add(move |x: f64, y: i64| function(x, y as f64))
        .add(move |x: i64, y: f64| function(x as f64, y));
}
