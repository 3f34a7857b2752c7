"""The vision transformer against torchvision's, from the same weights."""

from __future__ import annotations

from pathlib import Path

import torch
from torchvision.models import VisionTransformer as Reference

from dataengine.curate.vit import VisionTransformer

PATCH, WIDTH, DEPTH = 32, 128, 2


def reference() -> Reference:
    torch.manual_seed(3)
    network = Reference(
        image_size=224,
        patch_size=PATCH,
        num_layers=DEPTH,
        num_heads=WIDTH // 64,
        hidden_dim=WIDTH,
        mlp_dim=4 * WIDTH,
    ).eval()
    network.heads = torch.nn.Identity()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.1)
    return network


def renamed(network: Reference, names: dict[str, str]) -> dict[str, torch.Tensor]:
    found = {}
    for name, tensor in network.state_dict().items():
        plain = name
        for old, new in names.items():
            plain = plain.replace(old, new)
        found[plain] = tensor.clone()
    return found


DINO = {
    "class_token": "cls_token",
    "conv_proj": "patch_embed.proj",
    "encoder.pos_embedding": "pos_embed",
    "encoder.layers.encoder_layer_": "blocks.",
    "ln_1": "norm1",
    "ln_2": "norm2",
    "self_attention.in_proj_": "attn.qkv.",
    "self_attention.out_proj": "attn.proj",
    "mlp.0": "mlp.fc1",
    "mlp.3": "mlp.fc2",
    "encoder.ln": "norm",
}
CLIP = {
    "class_token": "visual.class_embedding",
    "conv_proj": "visual.conv1",
    "encoder.pos_embedding": "visual.positional_embedding",
    "encoder.layers.encoder_layer_": "visual.transformer.resblocks.",
    "self_attention": "attn",
    "mlp.0": "mlp.c_fc",
    "mlp.3": "mlp.c_proj",
    "encoder.ln": "visual.ln_post",
}
IMAGES = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))


def test_dino_is_torchvisions_transformer_under_other_names():
    network = reference()
    ours = VisionTransformer.from_tensors("dino", renamed(network, DINO), Path("x"))
    assert ours.side == 224
    with torch.inference_mode():
        torch.testing.assert_close(ours(IMAGES), network(IMAGES), rtol=1e-4, atol=1e-5)


def test_clip_projects_and_approximates_gelu(monkeypatch):
    network = reference()
    tensors = renamed(network, CLIP)
    tensors["visual.conv1.bias"].zero_()  # CLIP's has none; here it is left out
    network.conv_proj.bias.data.zero_()
    tensors["visual.proj"] = torch.randn(WIDTH, 7, generator=torch.Generator().manual_seed(1))
    tensors["visual.ln_pre.weight"] = torch.ones(WIDTH)
    tensors["visual.ln_pre.bias"] = torch.zeros(WIDTH)
    tensors["transformer.resblocks.0.ln_1.weight"] = torch.ones(3)  # of the text half
    ours = VisionTransformer.from_tensors("clip", tensors, Path("x"))
    monkeypatch.setattr(torch.nn.GELU, "forward", lambda self, x: x * torch.sigmoid(1.702 * x))
    for layer in network.encoder.modules():
        if isinstance(layer, torch.nn.LayerNorm):
            layer.eps = 1e-5
    inner = torch.nn.functional.layer_norm
    with torch.inference_mode():
        tokens = network._process_input(IMAGES)
        tokens = torch.cat([network.class_token.expand(2, -1, -1), tokens], 1) + network.encoder.pos_embedding
        tokens = network.encoder.layers(inner(tokens, (WIDTH,)))
        expected = network.encoder.ln(tokens)[:, 0] @ tensors["visual.proj"]
        torch.testing.assert_close(ours(IMAGES), expected, rtol=1e-4, atol=1e-5)


def test_places_of_another_grid_are_interpolated_and_registers_have_none():
    tensors = renamed(reference(), DINO)
    tensors["pos_embed"] = torch.randn(1, 11 * 11, WIDTH)  # timm's models with registers: no class token
    tensors["reg_token"] = torch.randn(1, 4, WIDTH)
    tensors["blocks.0.ls1.gamma"] = torch.full((WIDTH,), 0.5)
    ours = VisionTransformer.from_tensors("dino", tensors, Path("x"))
    assert ours._places().shape == (1, 50, WIDTH)
    assert not ours._places()[:, 0].any()
    assert ours(IMAGES).shape == (2, WIDTH)
