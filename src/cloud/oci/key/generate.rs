//! Makes an RSA key of 2048 bits, as FIPS 186-5 has it: two random primes with both top bits set, far
//! apart, and the exponent 65537. The crypto that is linked signs with RSA keys but makes none; it
//! checks what is made here when it takes it.

use crypto_bigint::{NonZero, U1024, U2048};
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime, sieve_and_find};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::RsaKeyPair;
use zeroize::Zeroizing;

use super::KeyError;

pub(super) fn pair() -> Result<RsaKeyPair, KeyError> {
    // The generator below cannot report that the system has no randomness; so it is asked before.
    getrandom::u32().map_err(|_| KeyError::NotMade("the system gives no random numbers"))?;
    loop {
        let (one, other) = (prime()?, prime()?);
        let (p, q) = if *one > *other { (one, other) } else { (other, one) };
        if let Some(pair) = assembled(&p, &q) {
            return pair;
        }
    }
}

/// None where the two primes do not make a good key, which has next to no chance.
fn assembled(p: &U1024, q: &U1024) -> Option<Result<RsaKeyPair, KeyError>> {
    if p.wrapping_sub(q).bit_width() <= FAR_APART {
        return None;
    }
    let modulus: U2048 = p.concatenating_mul(q);
    let before_p = Zeroizing::new(p.wrapping_sub(&U1024::ONE));
    let before_q = Zeroizing::new(q.wrapping_sub(&U1024::ONE));
    let totient: Zeroizing<U2048> = Zeroizing::new(before_p.concatenating_mul(&*before_q));
    let totient = Option::<NonZero<U2048>>::from(NonZero::new(*totient))?;
    let d = Zeroizing::new(Option::<U2048>::from(U2048::from(EXPONENT).invert_mod(&totient))?);
    let rest = |of: &U1024| {
        let of = Option::<NonZero<U2048>>::from(NonZero::new(of.resize()))?;
        Some(bytes(&d.rem(&of).resize::<{ U1024::LIMBS }>()))
    };
    let modulus_p = Option::<NonZero<U1024>>::from(NonZero::new(*p))?;
    let inverse = Zeroizing::new(Option::<U1024>::from(q.invert_mod(&modulus_p))?);
    let public_key =
        PublicKeyComponents { n: modulus.to_be_bytes().as_ref().to_vec(), e: vec![1, 0, 1] };
    // The library takes it without leading zeros only.
    let zeros = d.leading_zeros() / 8;
    let d = d.to_be_bytes().as_ref().iter().copied().skip(zeros as usize).collect();
    let components = KeyPairComponents {
        public_key,
        d: Zeroizing::new(d),
        p: bytes(p),
        q: bytes(q),
        dP: rest(&before_p)?,
        dQ: rest(&before_q)?,
        qInv: bytes(&inverse),
    };
    Some(
        RsaKeyPair::from_components(&components)
            .map_err(|_| KeyError::NotMade("the key that was made does not pass its check")),
    )
}

fn prime() -> Result<Zeroizing<U1024>, KeyError> {
    const FAILED: KeyError = KeyError::NotMade("no prime was found");
    let both_top_bits = SetBits::TwoMsb;
    let sieve = SmallFactorsSieveFactory::<U1024>::new(Flavor::Any, BITS, both_top_bits);
    let found = sieve_and_find(&mut UnwrapErr(SysRng), sieve.map_err(|_| FAILED)?, |_, number| {
        is_prime(Flavor::Any, number)
    });
    found.ok().flatten().map(Zeroizing::new).ok_or(FAILED)
}

fn bytes(number: &U1024) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(number.to_be_bytes().as_ref().to_vec())
}

const BITS: u32 = 1024;
const EXPONENT: u32 = 65_537;
/// FIPS 186-5: the primes differ in one of their first 100 bits.
const FAR_APART: u32 = BITS - 100;

#[cfg(test)]
mod tests {
    use super::*;

    /// One key in some 256 has such an exponent.
    #[test]
    fn a_private_exponent_may_begin_with_zeros() {
        const P: &str = "DB616CD7402FBF4D6E5EC83EE1E867F37551AE8616F025AE782BA800972FE10F\
                         42868B47FCD308B3557BE35C3288AD49C5743A0E58382D0AC943465BC8F61DF5\
                         EEDF09369B7E90C3F568DA85DF0EB0223D045DB65A920FAFDB06B71677FC556C\
                         B9A4533E86916099063C55EB2347C0C0FEBA27F9C08F8A65DF4697946DB54C29";
        const Q: &str = "C2D42509F090D4B331225F02DAD3342403176143C699BA0B15A817F83233603C\
                         D511257588444438B3E47B0A988DFFDEE8825522757C3BC3FEA16F69BBC82309\
                         65BF0195B1A474642962DB343EC595C24DCD806F352637654A796B829DCB3633\
                         1CC66C1814E3343945F099A1F6735D68B8DADA5421F6433E07265556E4CAD8BD";
        let pair = assembled(&U1024::from_be_hex(P), &U1024::from_be_hex(Q)).unwrap();
        assert!(pair.is_ok(), "{pair:?}");
    }
}
