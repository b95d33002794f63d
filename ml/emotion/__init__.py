"""Seven emotions from a grey face crop: our own small network, trained on FER-2013."""
